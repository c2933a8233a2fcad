//go:build unix

package sectile_test

import (
	"bytes"
	"crypto/sha256"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"testing"

	sectile "sectile.invalid/go"
)

const largeSize = 60 << 20

// section encodes a section.
func section(id byte, payload []byte) []byte {
	encoded := []byte{id}
	for size := len(payload); ; size >>= 7 {
		if size < 0x80 {
			encoded = append(encoded, byte(size))
			break
		}
		encoded = append(encoded, byte(size&0x7f|0x80))
	}
	return append(encoded, payload...)
}

func custom(name string, data string) []byte {
	return section(0, append(append([]byte{byte(len(name))}, name...), data...))
}

// largeModule is a module of 60 MB with the sections of a compiler, and metadata at its end.
func largeModule() []byte {
	module := []byte("\x00asm\x01\x00\x00\x00")
	for _, id := range []byte{1, 2, 3, 4, 5, 6, 7, 9} {
		module = append(module, section(id, make([]byte, 2_000))...)
	}
	module = append(module, section(10, bytes.Repeat([]byte{1}, largeSize))...)
	module = append(module, section(11, make([]byte, 100_000))...)
	module = append(module, custom("producers", "\x01\x08language\x01\x04Rust\x00")...)
	module = append(module, custom("licenses", "MIT OR Apache-2.0")...)
	return append(module, custom("source", "https://example.org/large.git")...)
}

// median returns the median of ratios of paired measurements.
func median(ratios []float64) float64 {
	sort.Float64s(ratios)
	return ratios[len(ratios)/2]
}

// elapsed returns the nanoseconds of processor time that a call takes: other programs may run meanwhile.
func elapsed(b *testing.B, calls int, call func() error) float64 {
	b.Helper()
	start := processorTime(b)
	for range calls {
		if err := call(); err != nil {
			b.Fatal(err)
		}
	}
	return float64(processorTime(b)-start) / float64(calls)
}

func processorTime(b *testing.B) int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

// BenchmarkRead reads the metadata of a module of 60 MB. SHOW_RATE is the example `show_rate` of
// bindings/wasm, which reads the same file with the library.
func BenchmarkRead(b *testing.B) {
	file := filepath.Join(b.TempDir(), "large.wasm")
	if err := os.WriteFile(file, largeModule(), 0o600); err != nil {
		b.Fatal(err)
	}
	for name, config := range map[string]sectile.Config{"compiled": {}, "interpreted": {Interpret: true}} {
		b.Run(name, func(b *testing.B) {
			engine := newEngine(b, config)
			read := func() error { return readFile(b, engine, file) }
			elapsed(b, 100, read)
			for b.Loop() {
				if err := read(); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			b.ReportMetric(elapsed(b, 100, read)/1e3, "processor-µs")
			if program := os.Getenv("SHOW_RATE"); program != "" {
				reportNative(b, program, file, read)
			}
		})
	}
}

func readFile(b *testing.B, engine *sectile.Engine, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	_, err = engine.Read(b.Context(), file, info.Size(), sectile.ReadOptions{})
	return err
}

func reportNative(b *testing.B, program, file string, read func() error) {
	var ratios []float64
	for range 7 {
		output, err := exec.Command(program, "2000", file).Output()
		if err != nil {
			b.Fatal(err)
		}
		native, err := strconv.ParseFloat(strings.TrimSpace(string(output)), 64)
		if err != nil {
			b.Fatal(err)
		}
		ratios = append(ratios, elapsed(b, 2000, read)/native)
	}
	b.ReportMetric(median(ratios), "×native")
}

// BenchmarkGate passes uploads of 60 MB through a gate, and compares it with SHA-256 of the same stream.
func BenchmarkGate(b *testing.B) {
	engine := newEngine(b, sectile.Config{})
	component := []byte("\x00asm\x0d\x00\x01\x00")
	for range 60 {
		module := []byte("\x00asm\x01\x00\x00\x00")
		module = append(module, section(10, bytes.Repeat([]byte{1}, 1<<20))...)
		component = append(component, section(1, append(module, custom("licenses", "MIT")...))...)
	}
	for name, upload := range map[string][]byte{"module": largeModule(), "component": component} {
		b.Run(name, func(b *testing.B) {
			gate := func() error {
				gate, err := engine.NewGate(nil, sectile.GateOptions{Size: int64(len(upload))})
				if err != nil {
					return err
				}
				_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, gate.Reader(bytes.NewReader(upload)), make([]byte, 32<<10))
				return err
			}
			hash := func() error {
				hash := sha256.New()
				_, err := io.CopyBuffer(struct{ io.Writer }{hash}, struct{ io.Reader }{bytes.NewReader(upload)}, make([]byte, 32<<10))
				hash.Sum(nil)
				return err
			}
			b.SetBytes(int64(len(upload)))
			for b.Loop() {
				if err := gate(); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			var ratios []float64
			for range 9 {
				ratios = append(ratios, elapsed(b, 1, gate)/elapsed(b, 1, hash))
			}
			b.ReportMetric(median(ratios), "×SHA-256")
		})
	}
}

// BenchmarkInstance compares the cost of taking an instance from the pool, and of a new one, with a read of
// a small module.
func BenchmarkInstance(b *testing.B) {
	module := append([]byte("\x00asm\x01\x00\x00\x00"), custom("licenses", "MIT")...)
	engine := newEngine(b, sectile.Config{})
	read := func() error {
		_, err := engine.Read(b.Context(), bytes.NewReader(module), int64(len(module)), sectile.ReadOptions{})
		return err
	}
	for name, acquire := range map[string]func() error{
		"pooled": func() error { return sectile.AcquirePooled(engine) },
		"new":    func() error { return sectile.AcquireNew(engine) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := acquire(); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			var ratios []float64
			for range 9 {
				ratios = append(ratios, elapsed(b, 500, acquire)/elapsed(b, 500, read))
			}
			b.ReportMetric(median(ratios), "×read")
		})
	}
}

// BenchmarkStart creates engines: it compiles the core, loads the compiled core, or interprets it.
func BenchmarkStart(b *testing.B) {
	cached := b.TempDir()
	for name, config := range map[string]sectile.Config{
		"compiled": {}, "cached": {CacheDir: cached}, "interpreted": {Interpret: true},
	} {
		b.Run(name, func(b *testing.B) {
			start := func() error {
				engine, err := sectile.New(config)
				if err != nil {
					return err
				}
				return engine.Close()
			}
			elapsed(b, 1, start) // fills the cache
			for b.Loop() {
				if err := start(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(elapsed(b, 3, start)/1e6, "processor-ms")
		})
	}
}
