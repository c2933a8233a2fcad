package sectile_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	sectile "sectile.invalid/go"
)

// addShared adds the inputs of the shared cases to the corpus.
func addShared(f *testing.F) {
	suite := readSuite(f)
	for name := range suite.Inputs {
		if content := suite.input(f, name); len(content) < 8<<10 {
			f.Add(content, uint8(len(content)))
		}
	}
}

// FuzzRead reads any input at once and in parts, and compares the values.
func FuzzRead(f *testing.F) {
	addShared(f)
	engine := newEngine(f, sectile.Config{})
	f.Fuzz(func(t *testing.T, content []byte, size uint8) {
		document, err := engine.Read(t.Context(), bytes.NewReader(content), int64(len(content)), sectile.ReadOptions{})
		checkError(t, err)
		scanner, scan := engine.Scan(&chunkReader{chunks: split(content, size)}, sectile.ReadOptions{})
		if scan != nil {
			t.Fatal(scan)
		}
		passed, scan := io.ReadAll(scanner)
		if scan != nil || !bytes.Equal(passed, content) {
			t.Fatal("the bytes were not passed on", scan)
		}
		scanned, scan := scanner.Document()
		checkError(t, scan)
		if (err == nil) != (scan == nil) {
			t.Fatalf("%v, but in parts %v", err, scan)
		}
		if err == nil && (document.Item == nil || len(document.Findings) != len(scanned.Findings)) {
			t.Fatalf("%s, but in parts %s", document.JSON(), scanned.JSON())
		}
	})
}

// FuzzGate compares the verdict of a gate with that of a check.
func FuzzGate(f *testing.F) {
	addShared(f)
	engine := newEngine(f, sectile.Config{})
	f.Fuzz(func(t *testing.T, content []byte, size uint8) {
		verdict, err := engine.Check(t.Context(), bytes.NewReader(content), int64(len(content)), nil, sectile.CheckOptions{})
		if err != nil {
			t.Fatal(err)
		}
		gate, err := engine.NewGate(nil, sectile.GateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		passed, err := io.ReadAll(gate.Reader(&chunkReader{chunks: split(content, size)}))
		var refusal *sectile.Refusal
		if err != nil && !errors.As(err, &refusal) {
			t.Fatal(err)
		}
		// The limits of a gate are smaller.
		if (err == nil) != verdict.Accepted && !errors.Is(err, sectile.KindLimit) {
			t.Fatalf("%s, but the gate says %v", verdict.JSON(), err)
		}
		if err == nil && (!bytes.Equal(passed, content) || gate.Digest() != digest(content)) {
			t.Fatal("an accepted upload was not passed on")
		}
	})
}

// FuzzEdit applies an edit twice: the second time changes nothing.
func FuzzEdit(f *testing.F) {
	addShared(f)
	engine := newEngine(f, sectile.Config{})
	changes := sectile.Changes{Set: []sectile.FieldValue{{Field: sectile.FieldVendor, Value: "Acme"}}, Name: "new"}
	f.Fuzz(func(t *testing.T, content []byte, _ uint8) {
		plan, err := engine.Edit(t.Context(), bytes.NewReader(content), int64(len(content)), changes)
		if checkError(t, err); err != nil {
			return
		}
		var edited bytes.Buffer
		if _, err := plan.WriteTo(&edited); err != nil || int64(edited.Len()) != plan.NewSize {
			t.Fatal(err, edited.Len())
		}
		again, err := engine.Edit(t.Context(), bytes.NewReader(edited.Bytes()), int64(edited.Len()), changes)
		if err != nil || !again.IsIdentity() {
			t.Fatal("a repeated edit changes the input", err)
		}
	})
}

func checkError(t *testing.T, err error) {
	t.Helper()
	var reason *sectile.Error
	if err != nil && (!errors.As(err, &reason) || reason.Kind == "" || reason.Message == "") {
		t.Fatalf("an error without a kind: %v", err)
	}
}

func split(content []byte, size uint8) [][]byte {
	request := sharedRequest{Chunks: []int{int(size) + 1}}
	return request.chunks(content)
}
