// Prints the licenses of binaries, by the C library: `go run . FILE…`.
package main

/*
#cgo pkg-config: sectile
#include <sectile.h>
#include <stdlib.h>
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"unsafe"
)

func main() {
	for _, path := range os.Args[1:] {
		licenses, err := readLicenses(path)
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", path, err)
			os.Exit(1)
		}
		fmt.Println(licenses)
	}
}

func readLicenses(path string) (string, error) {
	file := C.CString(path)
	defer C.free(unsafe.Pointer(file))
	var source *C.sectile_source
	var failure *C.sectile_error
	if C.sectile_source_open(file, &source, &failure) != C.SECTILE_STATUS_OK {
		return "", taken(failure)
	}
	defer C.sectile_source_free(source)
	var metadata *C.sectile_metadata
	status := C.sectile_read(source, &metadata, &failure)
	defer C.sectile_metadata_free(metadata)
	if status != C.SECTILE_STATUS_OK {
		return "", taken(failure)
	}
	field := C.CString("licenses")
	defer C.free(unsafe.Pointer(field))
	var value C.sectile_view
	if C.sectile_item_value(metadata, 0, field, &value, &failure) != C.SECTILE_STATUS_OK {
		return "", taken(failure)
	}
	return C.GoStringN(value.data, C.int(value.len)), nil
}

// Turns an error of the library into one of Go, and frees it.
func taken(failure *C.sectile_error) error {
	defer C.sectile_error_free(failure)
	return errors.New(C.GoString(failure.message))
}
