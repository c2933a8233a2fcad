// Extracts each file of a directory in memory with Go's libraries, and prints the extracted
// modules.
//
// A line of the output is the file, the reader, and the number of a module. Extracted files are
// themselves extracted.
// With `--write OUT DIRECTORY`, it writes archives of a directory instead.
package main

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strconv"
)

const (
	limit    = 1 << 20 // bytes of one file
	maxDepth = 5
	preamble = "\x00asm\x01\x00\x00\x00\x00\x10\x07version"
)

// numberOf returns the number of the complete module at the start of the content, or -1.
func numberOf(content []byte) int {
	if !bytes.HasPrefix(content, []byte(preamble)) || len(content) < len(preamble)+8 {
		return -1
	}
	text := string(content[len(preamble) : len(preamble)+8])
	number, err := strconv.Atoi(text[:2])
	if err != nil {
		return -1
	}
	length, err := strconv.Atoi(text[3:])
	if err != nil || length > len(content) || !bytes.HasSuffix(content[:length], []byte("END"+text[:2])) {
		return -1
	}
	return number
}

// stream returns the bytes that a copy would have written before an error.
func stream(reader io.Reader) []byte {
	content, _ := io.ReadAll(io.LimitReader(reader, limit))
	return content
}

func tars(content []byte, extracted func([]byte)) {
	var reader io.Reader = bytes.NewReader(content)
	if bytes.HasPrefix(content, []byte("\x1f\x8b")) {
		inflated, err := gzip.NewReader(reader)
		if err != nil {
			return
		}
		reader = inflated
	}
	archive := tar.NewReader(reader)
	for count := 0; count < 100; count++ {
		if _, err := archive.Next(); err != nil {
			return
		}
		extracted(stream(archive))
	}
}

func zips(content []byte, extracted func([]byte)) {
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return
	}
	for count, entry := range archive.File {
		if count == 100 {
			return
		}
		if file, err := entry.Open(); err == nil {
			extracted(stream(file))
			file.Close()
		}
	}
}

func gzips(content []byte, extracted func([]byte)) {
	if inflated, err := gzip.NewReader(bytes.NewReader(content)); err == nil {
		extracted(stream(inflated))
	}
}

type opener func([]byte, func([]byte))

var readers = []struct {
	name string
	open opener
}{
	{"go archive/tar", tars},
	{"go archive/zip", zips},
	{"go compress/gzip", gzips},
}

// An extraction of one case. Overlapping entries are opened repeatedly, up to a limit.
type extraction struct {
	found map[int]bool
	left  int
}

// open extracts a file with one reader, then the results with all readers.
func (e *extraction) open(content []byte, open opener, depth int) {
	if len(content) == 0 || depth == maxDepth || numberOf(content) >= 0 {
		return
	}
	open(content, func(opened []byte) {
		e.left--
		if e.left < 0 {
			return
		}
		if number := numberOf(opened); number >= 0 {
			e.found[number] = true
			return
		}
		for _, reader := range readers {
			e.open(opened, reader.open, depth+1)
		}
	})
}

func main() {
	if os.Args[1] == "--write" {
		write(os.Args[2], os.Args[3])
		return
	}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	entries, err := os.ReadDir(os.Args[1])
	if err != nil {
		panic(err)
	}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(os.Args[1], entry.Name()))
		if err != nil {
			panic(err)
		}
		for _, reader := range readers {
			extraction := extraction{found: map[int]bool{}, left: 300}
			extraction.open(content, reader.open, 0)
			var numbers []int
			for number := range extraction.found {
				numbers = append(numbers, number)
			}
			sort.Ints(numbers)
			for _, number := range numbers {
				fmt.Fprintf(out, "%s\t%s\t%d\n", entry.Name(), reader.name, number)
			}
		}
	}
}
