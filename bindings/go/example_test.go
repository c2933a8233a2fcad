package sectile_test

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"os"

	sectile "sectile.invalid/go"
)

func Example() {
	module := []byte("\x00asm\x01\x00\x00\x00") // an empty module
	plan, err := sectile.Edit(bytes.NewReader(module), int64(len(module)), sectile.Changes{
		Set:       []sectile.FieldValue{{Field: sectile.FieldLicenses, Value: "MIT"}},
		Producers: []sectile.Producer{{Field: "sdk", Name: "Kit", Version: "1.0"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	var edited bytes.Buffer
	if _, err := plan.WriteTo(&edited); err != nil {
		log.Fatal(err)
	}

	document, err := sectile.Read(bytes.NewReader(edited.Bytes()), int64(edited.Len()))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(document.Item.Annotations[sectile.FieldLicenses], document.Item.Producers["sdk"])

	policy, err := sectile.ParsePolicy("[[required]]\nfields = [\"licenses\", \"source\"]\n", "policy.toml")
	if err != nil {
		log.Fatal(err)
	}
	gate, err := sectile.NewGate(policy, sectile.GateOptions{})
	if err != nil {
		log.Fatal(err)
	}
	_, err = io.Copy(io.Discard, gate.Reader(&edited)) // an upload that is stored
	fmt.Println(err)
	// Output:
	// MIT [[Kit 1.0]]
	// sectile: missing-field (at offset 0x0): `source` is required, but is missing, policy.toml:1
}

func ExampleRead() {
	file, err := os.Open("sectile.wasm")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		log.Fatal(err)
	}
	document, err := sectile.Read(file, info.Size())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(document.Item.Kind, document.BytesRead < info.Size()/10)
	// Output: module true
}
