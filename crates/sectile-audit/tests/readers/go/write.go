package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// write writes archives of a directory.
func write(out, directory string) {
	for name, format := range map[string]tar.Format{"pax": tar.FormatPAX, "gnu": tar.FormatGNU, "any": tar.FormatUnknown} {
		file, err := os.Create(filepath.Join(out, "go-"+name+".tar"))
		check(err)
		writeTar(file, directory, format)
		check(file.Close())
	}
	file, err := os.Create(filepath.Join(out, "go.tgz"))
	check(err)
	compressed := gzip.NewWriter(file)
	writeTar(compressed, directory, tar.FormatUnknown)
	check(compressed.Close())
	check(file.Close())
	for name, method := range map[string]uint16{"stored": zip.Store, "deflated": zip.Deflate} {
		file, err := os.Create(filepath.Join(out, "go-"+name+".zip"))
		check(err)
		writeZip(file, directory, method)
		check(file.Close())
	}
}

// each visits all files below a directory, with names relative to it.
func each(directory string, visit func(name, path string, info fs.FileInfo)) {
	check(filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		check(err)
		info, err := entry.Info()
		check(err)
		visit(strings.TrimPrefix(path, "./"), path, info)
		return nil
	}))
}

func content(path string) []byte {
	content, err := os.ReadFile(path)
	check(err)
	return content
}

func writeTar(out io.Writer, directory string, format tar.Format) {
	archive := tar.NewWriter(out)
	each(directory, func(name, path string, info fs.FileInfo) {
		target := ""
		if info.Mode()&fs.ModeSymlink != 0 {
			target, _ = os.Readlink(path)
		}
		header, err := tar.FileInfoHeader(info, target)
		check(err)
		header.Name, header.Format = name, format
		check(archive.WriteHeader(header))
		if info.Mode().IsRegular() {
			_, err = archive.Write(content(path))
			check(err)
		}
	})
	check(archive.Close())
}

func writeZip(out io.Writer, directory string, method uint16) {
	archive := zip.NewWriter(out)
	each(directory, func(name, path string, info fs.FileInfo) {
		header, err := zip.FileInfoHeader(info)
		check(err)
		header.Name, header.Method = name, method
		if info.IsDir() {
			header.Name += "/"
		}
		entry, err := archive.CreateHeader(header)
		check(err)
		if info.Mode().IsRegular() {
			_, err = entry.Write(content(path))
			check(err)
		}
	})
	check(archive.Close())
}
