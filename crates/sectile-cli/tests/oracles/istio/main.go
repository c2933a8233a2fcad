// Fetches images as Istio does, and prints one line for each: whether Istio would load it.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"istio.io/istio/pkg/wasm"
)

// The check of Istio's cache, which is not exported.
func isWasm(binary []byte) bool {
	return len(binary) >= 8 && bytes.HasPrefix(binary, []byte("\x00asm"))
}

func fetch(image string) error {
	fetcher := wasm.NewImageFetcher(context.Background(), wasm.ImageFetcherOption{})
	read, _, err := fetcher.PrepareFetch(image)
	if err != nil {
		return err
	}
	binary, err := read()
	if err == nil && !isWasm(binary) {
		err = fmt.Errorf("the binary is invalid")
	}
	return err
}

func main() {
	for _, image := range os.Args[1:] {
		if err := fetch(image); err != nil {
			fmt.Printf("result: refused: %q\n", err)
		} else {
			fmt.Println("result: loaded")
		}
	}
}
