package sectile_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	sectile "sectile.invalid/go"
)

// real is a binary of the repository.
func real(tb testing.TB, name string) []byte {
	tb.Helper()
	content, err := os.ReadFile(filepath.Join(project, "tests/files", name))
	if err != nil {
		tb.Fatal(err)
	}
	return content
}

func TestErrorsHaveKindAndPlace(t *testing.T) {
	module := []byte("\x00asm\x01\x00\x00\x00\x00\x0c\x08licensesMIT")
	for name, one := range map[string]struct {
		input  []byte
		kind   sectile.Kind
		offset int64
		path   string
		read   bool
	}{
		"empty":     {nil, sectile.KindNotWasm, 0, "", false},
		"elf":       {[]byte("\x7fELF\x02\x01\x01\x00"), sectile.KindNotWasm, 0, "", false},
		"truncated": {module[:len(module)-1], sectile.KindTruncated, 21, "", true},
		"malformed": {append(bytes.Clone(module), 0, 0xff, 0xff, 0xff, 0xff, 0xff), sectile.KindMalformed, 23, "", true},
		"nested":    {append([]byte("\x00asm\x0d\x00\x01\x00\x01\x09"), "\x00asm\x01\x00\x00\x00\xff"...), sectile.KindMalformed, 18, "0", true},
	} {
		document, err := sectile.Read(bytes.NewReader(one.input), int64(len(one.input)))
		var reason *sectile.Error
		if !errors.As(err, &reason) || !errors.Is(err, one.kind) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if reason.Offset != one.offset || reason.ItemPath != one.path {
			t.Errorf("%s: at %d in %q: %v", name, reason.Offset, reason.ItemPath, err)
		}
		if read := document != nil && document.Item != nil; read != one.read {
			t.Errorf("%s: the part before the fault: %v", name, document)
		}
		if !strings.HasPrefix(err.Error(), "sectile: ") {
			t.Errorf("%s: %v", name, err)
		}
		verdict, err := sectile.Check(bytes.NewReader(one.input), int64(len(one.input)), nil)
		if err != nil || verdict.Accepted || verdict.Reason == nil {
			t.Errorf("%s: %v %v", name, verdict, err)
		}
	}
}

func TestInvalidArgumentsAreErrors(t *testing.T) {
	if _, err := sectile.Read(nil, 0); !errors.Is(err, sectile.KindArgument) {
		t.Error(err)
	}
	if _, err := sectile.Read(bytes.NewReader(nil), -1); !errors.Is(err, sectile.KindArgument) {
		t.Error(err)
	}
	module := bytes.NewReader([]byte("\x00asm\x01\x00\x00\x00"))
	if _, err := sectile.Edit(module, 8, sectile.Changes{Item: "x"}); !errors.Is(err, sectile.KindArgument) {
		t.Error(err)
	}
	unknown := sectile.Changes{Unset: []sectile.Field{"licence"}}
	if _, err := sectile.Edit(module, 8, unknown); !errors.Is(err, sectile.KindArgument) {
		t.Error(err)
	}
	invalid := sectile.Changes{Set: []sectile.FieldValue{{Field: sectile.FieldLicenses, Value: "Apache2"}}}
	if _, err := sectile.Edit(module, 8, invalid); !errors.Is(err, sectile.KindEdit) {
		t.Error(err)
	}
	_, err := sectile.ParsePolicy("[[licenses]]\nallow = [\"mitt\"]\n", "rules.toml")
	var reason *sectile.Error
	if !errors.As(err, &reason) || reason.Kind != sectile.KindPolicy || reason.Line != 2 || reason.Column == 0 {
		t.Errorf("%#v", err)
	}
}

// failing fails from an offset on.
type failing struct {
	io.ReaderAt
	from int64
	err  error
}

func (failing *failing) ReadAt(buffer []byte, offset int64) (int, error) {
	if offset+int64(len(buffer)) > failing.from {
		return 0, failing.err
	}
	return failing.ReaderAt.ReadAt(buffer, offset)
}

// short is a source that is shorter than it says, and returns few bytes at a time.
type short struct{ content []byte }

func (short *short) ReadAt(buffer []byte, offset int64) (int, error) {
	if offset >= int64(len(short.content)) {
		return 0, io.EOF
	}
	return copy(buffer[:min(len(buffer), 3)], short.content[offset:]), nil
}

func TestErrorsOfTheSourceArePassedOn(t *testing.T) {
	content := real(t, "rust-auditable.component.wasm")
	broken := errors.New("broken disk")
	_, err := sectile.Read(&failing{bytes.NewReader(content), 100, broken}, int64(len(content)))
	if !errors.Is(err, broken) || !errors.Is(err, sectile.KindRead) {
		t.Error(err)
	}
	if _, err = sectile.Read(&short{content[:1000]}, int64(len(content))); err == nil {
		t.Error("a source that shrank is read")
	}
	document, err := sectile.Read(&short{content}, int64(len(content)))
	if err != nil || document.Item == nil {
		t.Error(err)
	}
}

// canceling cancels a context at a read.
type canceling struct {
	io.ReaderAt
	cancel context.CancelFunc
	reads  int
}

func (canceling *canceling) ReadAt(buffer []byte, offset int64) (int, error) {
	canceling.reads++
	canceling.cancel()
	return canceling.ReaderAt.ReadAt(buffer, offset)
}

func TestCanceledContextsEndReads(t *testing.T) {
	engine, content := newEngine(t, sectile.Config{}), real(t, "tinygo-gofmt.wasm")
	ctx, cancel := context.WithCancel(t.Context())
	source := &canceling{bytes.NewReader(content), cancel, 0}
	_, err := engine.Read(ctx, source, int64(len(content)), sectile.ReadOptions{Recovered: true})
	if !errors.Is(err, context.Canceled) || source.reads != 1 {
		t.Errorf("%d reads: %v", source.reads, err)
	}
	if _, err = engine.Read(ctx, source, int64(len(content)), sectile.ReadOptions{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err = engine.Read(t.Context(), bytes.NewReader(content), int64(len(content)), sectile.ReadOptions{}); err != nil {
		t.Error("the engine is not usable after a canceled read:", err)
	}
}

func TestGoroutinesShareAnEngine(t *testing.T) {
	engine := newEngine(t, sectile.Config{MaxIdle: 2})
	policy, err := engine.ParsePolicy("[[required]]\nfields = \"vendor\"\n", "")
	if err != nil {
		t.Fatal(err)
	}
	content := real(t, "rust-auditable.component.wasm")
	want, err := engine.Read(t.Context(), bytes.NewReader(content), int64(len(content)), sectile.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 10 {
				document, err := engine.Read(t.Context(), bytes.NewReader(content), int64(len(content)), sectile.ReadOptions{})
				if err != nil || !bytes.Equal(document.JSON(), want.JSON()) {
					t.Error(err)
				}
				gate, err := engine.NewGate(policy, sectile.GateOptions{})
				if err != nil {
					t.Error(err)
					return
				}
				_, err = io.Copy(io.Discard, gate.Reader(bytes.NewReader(content)))
				var refusal *sectile.Refusal
				if !errors.As(err, &refusal) || refusal.Verdict.Accepted {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

func TestClosedEnginesRefuseWork(t *testing.T) {
	engine, err := sectile.New(sectile.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Read(t.Context(), bytes.NewReader(nil), 0, sectile.ReadOptions{}); err == nil {
		t.Error("a closed engine reads")
	}
}

func TestTheInterpreterAgrees(t *testing.T) {
	compiled, interpreted := newEngine(t, sectile.Config{}), newEngine(t, sectile.Config{Interpret: true})
	content := real(t, "rust-auditable.component.wasm")
	want, err := compiled.Read(t.Context(), bytes.NewReader(content), int64(len(content)), sectile.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := interpreted.Read(t.Context(), bytes.NewReader(content), int64(len(content)), sectile.ReadOptions{})
	if err != nil || !bytes.Equal(got.JSON(), want.JSON()) {
		t.Error(err)
	}
}

func TestTheCacheIsUsedByLaterEngines(t *testing.T) {
	directory := t.TempDir()
	for range 2 {
		engine := newEngine(t, sectile.Config{CacheDir: directory})
		if _, err := engine.Sections(t.Context(), bytes.NewReader([]byte("\x00asm\x01\x00\x00\x00")), 8); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadDir(directory)
	if err != nil || len(kept) == 0 {
		t.Error(kept, err)
	}
}

func TestScansPassMalformedBytesAndErrorsOn(t *testing.T) {
	content := append([]byte("\x00asm\x01\x00\x00\x00"), bytes.Repeat([]byte{0xff}, 100_000)...)
	scanner, err := sectile.Scan(iotest.OneByteReader(bytes.NewReader(content)))
	if err != nil {
		t.Fatal(err)
	}
	if passed, err := io.ReadAll(scanner); err != nil || !bytes.Equal(passed, content) {
		t.Error(err)
	}
	if _, err := scanner.Document(); !errors.Is(err, sectile.KindMalformed) {
		t.Error(err)
	}

	broken := errors.New("broken connection")
	scanner, err = sectile.Scan(io.MultiReader(bytes.NewReader(content[:8]), iotest.ErrReader(broken)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(scanner); !errors.Is(err, broken) {
		t.Error(err)
	}
	if document, err := scanner.Document(); err != nil || *document.Size != 8 {
		t.Error(document, err)
	}
	if err := scanner.Close(); err != nil {
		t.Error(err)
	}
}

func TestAGateReturnsItsRefusalAgain(t *testing.T) {
	gate, err := sectile.NewGate(nil, sectile.GateOptions{MaxBytes: 10})
	if err != nil {
		t.Fatal(err)
	}
	_, first := gate.Write([]byte("\x00asm\x01\x00\x00\x00\x00\x0c\x08licensesMIT"))
	if !errors.Is(first, sectile.KindTooLarge) {
		t.Fatal(first)
	}
	if _, again := gate.Write([]byte("x")); again != first {
		t.Error(again)
	}
	if verdict, err := gate.End(); verdict != nil || err != first {
		t.Error(verdict, err)
	}
}

func TestAGateThatIsClosedTakesNoBytes(t *testing.T) {
	gate, err := sectile.NewGate(nil, sectile.GateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := gate.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := gate.Write([]byte("\x00asm")); err == nil {
		t.Error("a closed gate takes bytes")
	}
	if verdict, err := gate.End(); verdict != nil || err == nil {
		t.Error(verdict, err)
	}
}

// Gates that a program forgets do not keep their instances.
func TestForgottenGatesAreReleased(t *testing.T) {
	engine := newEngine(t, sectile.Config{})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 100 {
		if _, err := engine.NewGate(nil, sectile.GateOptions{}); err != nil {
			t.Fatal(err)
		}
		runtime.GC()
	}
	for range 50 {
		runtime.GC()
		runtime.ReadMemStats(&after)
		if after.HeapInuse < before.HeapInuse+25<<20 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("the heap grew from %d to %d bytes", before.HeapInuse, after.HeapInuse)
}

func TestInstancesThatTrappedAreDiscarded(t *testing.T) {
	engine := newEngine(t, sectile.Config{MaxIdle: 1})
	module := bytes.NewReader([]byte("\x00asm\x01\x00\x00\x00"))
	if trapped := sectile.TrapIdle(engine); trapped != 1 {
		t.Fatal(trapped)
	}
	if _, err := engine.Read(t.Context(), module, 8, sectile.ReadOptions{}); err == nil {
		t.Error("a trap is not an error")
	}
	if sectile.Idle(engine) != 0 {
		t.Error("an instance that trapped is kept")
	}
	if _, err := engine.Read(t.Context(), module, 8, sectile.ReadOptions{}); err != nil {
		t.Error(err)
	}
}

func TestInstancesThatGrewAreDiscarded(t *testing.T) {
	engine := newEngine(t, sectile.Config{MaxIdle: 1})
	sectile.GrowIdle(engine)
	module := bytes.NewReader([]byte("\x00asm\x01\x00\x00\x00"))
	for _, kept := range []int{0, 1} {
		if _, err := engine.Read(t.Context(), module, 8, sectile.ReadOptions{}); err != nil {
			t.Error(err)
		}
		if idle := sectile.Idle(engine); idle != kept {
			t.Errorf("%d instances are kept, not %d", idle, kept)
		}
	}
}
