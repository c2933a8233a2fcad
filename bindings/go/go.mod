// The path is a placeholder until the project has an address. Only this file, the `require` of
// examples/registry/go.mod and the imports of the tests name it.
module sectile.invalid/go

go 1.25.0

require github.com/tetratelabs/wazero v1.12.0

require golang.org/x/sys v0.44.0 // indirect
