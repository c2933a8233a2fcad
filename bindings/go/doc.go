// Package sectile reads, edits and judges the metadata of WebAssembly modules and components without
// parsing their code: licenses, source, revision, producers, dependencies.
//
// The core is a WebAssembly module that is embedded in the package and runs under wazero, without cgo.
// All functions may be called from several goroutines.
//
// [Read], [Sections], [Check], [Inventory], [Edit] and [Strip] take an [io.ReaderAt] and its size, and
// read only what they need. [Scan] and [NewGate] inspect bytes that arrive in order. The functions of the
// package use an [Engine] with the default [Config], which is created by the first call.
package sectile

//go:generate go run ./internal/schematypes ../../docs/schema types.go
