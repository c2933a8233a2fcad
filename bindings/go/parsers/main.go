//go:build unix

// Command parsers compares Read with other parsers of WebAssembly in Go, per file, by processor time.
//
//	go run . FILE…
//
// Each parser gets the path of the file, and does the least that it can. docs/comparison.md has the results.
package main

import (
	"context"
	"fmt"
	"log"
	"math"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/tetratelabs/wabin/binary"
	"github.com/tetratelabs/wabin/wasm"
	"github.com/tetratelabs/wazero"
	sectile "sectile.invalid/go"
)

const (
	enough = 50 * time.Millisecond // of a measurement: a fast parser reads the file several times
	rounds = 3
)

type parser struct {
	name  string
	parse func(path string) error
}

func main() {
	files := os.Args[1:]
	engine, err := sectile.New(sectile.Config{})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	runtime := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithCustomSections(true))
	parsers := []parser{
		{"sectile", func(path string) error { return read(ctx, engine, path) }},
		{"wabin", decode},
		{"wazero, interpreter", func(path string) error { return compile(ctx, runtime, path) }},
	}
	times := make([][]float64, len(parsers))
	for nth, parser := range parsers {
		for _, file := range files {
			times[nth] = append(times[nth], duration(parser.parse, file))
		}
	}
	fmt.Println("| parser | files read | median per file | ratio of the totals | median ratio | lowest ratio |")
	fmt.Println("| --- | --- | --- | --- | --- | --- |")
	for nth, parser := range parsers {
		fmt.Printf("| `%s` | %s |\n", parser.name, cells(times[nth], times[0]))
	}
}

func read(ctx context.Context, engine *sectile.Engine, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	_, err = engine.Read(ctx, file, info.Size(), sectile.ReadOptions{})
	return err
}

func decode(path string) error {
	module, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	_, err = binary.DecodeModule(module, wasm.CoreFeaturesV2)
	return err
}

func compile(ctx context.Context, runtime wazero.Runtime, path string) error {
	module, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	compiled, err := runtime.CompileModule(ctx, module)
	if err != nil {
		return err
	}
	compiled.CustomSections()
	return compiled.Close(ctx)
}

// duration returns the microseconds of processor time for a file, the best of some rounds, or NaN if the parser fails.
func duration(parse func(string) error, file string) (best float64) {
	defer func() {
		if recover() != nil { // a parser that panics
			best = math.NaN()
		}
	}()
	best = math.Inf(1)
	for range rounds {
		start, reads := processorTime(), 0
		for processorTime()-start < enough {
			if parse(file) != nil {
				return math.NaN()
			}
			reads++
		}
		best = min(best, float64((processorTime()-start).Nanoseconds())/1e3/float64(reads))
	}
	return best
}

func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// cells compares the times of a parser with our own, over the files that both read.
func cells(times, own []float64) string {
	var taken, ratios []float64
	var total, ownTotal float64
	for nth, time := range times {
		if math.IsNaN(time) || math.IsNaN(own[nth]) {
			continue
		}
		taken, ratios = append(taken, time), append(ratios, time/own[nth])
		total, ownTotal = total+time, ownTotal+own[nth]
	}
	count := fmt.Sprintf("%d of %d", len(taken), len(times))
	if len(taken) == 0 {
		return count + " | | | |"
	}
	slices.Sort(taken)
	slices.Sort(ratios)
	middle := len(taken) / 2
	return fmt.Sprintf("%s | %s µs | %s × | %s × | %s ×", count, format(taken[middle]),
		format(total/ownTotal), format(ratios[middle]), format(ratios[0]))
}

func format(number float64) string {
	switch {
	case number < 10:
		return fmt.Sprintf("%.2f", number)
	case number < 100:
		return fmt.Sprintf("%.1f", number)
	}
	return fmt.Sprintf("%.0f", number)
}
