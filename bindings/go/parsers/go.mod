module sectile.invalid/go/parsers

go 1.25.0

replace sectile.invalid/go => ..

require (
	github.com/tetratelabs/wabin v0.0.0-20230304001439-f6f874872834
	github.com/tetratelabs/wazero v1.12.0
	sectile.invalid/go v0.0.0
)

require golang.org/x/sys v0.44.0 // indirect
