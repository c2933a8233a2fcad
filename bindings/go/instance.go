package sectile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// status is the result of a call of the core.
type status uint32

const (
	done status = iota
	refused
	partial
	failed
)

// part names a part of the output.
type part uint64

const (
	documentPart part = iota
	errorPart
	planPart
)

// instance is an instance of the core. One goroutine uses it at a time.
type instance struct {
	engine    *Engine
	module    api.Module
	memory    api.Memory
	functions functions
	// stack holds arguments and the result of a call.
	stack [4]uint64
	// buffer is memory of the instance for requests and chunks, which is allocated once.
	buffer, bufferLen uint32
	// trapped is the error of a call that did not return.
	trapped error
}

// functions are the exports of the core.
type functions struct {
	alloc, free, run, begin, feed, skippable, skip, end, output, outputLen, reset api.Function
}

func newInstance(ctx context.Context, engine *Engine) (*instance, error) {
	module, err := engine.runtime.InstantiateModule(ctx, engine.compiled, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		return nil, fmt.Errorf("sectile: cannot create an instance of the core: %w", err)
	}
	instance := &instance{engine: engine, module: module, memory: module.Memory()}
	exports := map[string]*api.Function{
		"alloc": &instance.functions.alloc, "free": &instance.functions.free, "run": &instance.functions.run,
		"begin": &instance.functions.begin, "feed": &instance.functions.feed, "end": &instance.functions.end,
		"skippable": &instance.functions.skippable, "skip": &instance.functions.skip,
		"output": &instance.functions.output, "output_len": &instance.functions.outputLen,
		"reset": &instance.functions.reset,
	}
	for name, function := range exports {
		if *function = module.ExportedFunction(name); *function == nil {
			return nil, errors.Join(fmt.Errorf("sectile: the core lacks the function %s", name), module.Close(ctx))
		}
	}
	version := module.ExportedFunction("sectile_abi")
	if version == nil || instance.call(ctx, version) != abiVersion {
		return nil, errors.Join(errors.New("sectile: the core has another version"), module.Close(ctx))
	}
	return instance, nil
}

// closeInstance releases an instance that is not used again.
func closeInstance(instance *instance) {
	_ = instance.module.Close(context.Background())
}

// call calls a function of the core with up to four arguments. After a trap it returns 0, as every later
// call does.
func (instance *instance) call(ctx context.Context, function api.Function, arguments ...uint64) uint64 {
	if instance.trapped != nil {
		return 0
	}
	copy(instance.stack[:], arguments)
	if err := function.CallWithStack(ctx, instance.stack[:]); err != nil {
		instance.trapped = fmt.Errorf("sectile: the core stopped: %w", err)
		return 0
	}
	return instance.stack[0]
}

// reset releases the operation, and reports whether the instance can be used again.
func (instance *instance) reset() bool {
	instance.call(context.Background(), instance.functions.reset)
	return instance.trapped == nil
}

// write copies bytes to the buffer, which grows to hold them.
func (instance *instance) write(ctx context.Context, bytes []byte) error {
	if length := uint32(len(bytes)); length > instance.bufferLen {
		if instance.bufferLen > 0 {
			instance.call(ctx, instance.functions.free, uint64(instance.buffer), uint64(instance.bufferLen))
		}
		instance.buffer = uint32(instance.call(ctx, instance.functions.alloc, uint64(length)))
		instance.bufferLen = length
		if instance.trapped == nil && instance.buffer == 0 {
			instance.trapped = errors.New("sectile: the core has no memory for the input")
		}
	}
	if instance.trapped == nil && !instance.memory.Write(instance.buffer, bytes) {
		instance.trapped = errors.New("sectile: the core returned an invalid address")
	}
	return instance.trapped
}

// run runs an operation on a source.
func (instance *instance) run(ctx context.Context, request []byte, source io.ReaderAt, size int64) (status, error) {
	if err := instance.write(ctx, request); err != nil {
		return failed, err
	}
	reading := &reading{Context: ctx, source: source}
	status := status(instance.call(reading, instance.functions.run,
		uint64(instance.buffer), uint64(len(request)), 0, uint64(size)))
	if reading.err != nil {
		return failed, &Error{Kind: KindRead, Message: reading.err.Error(), Offset: reading.offset, cause: reading.err}
	}
	return status, instance.trapped
}

// output copies a part of the output.
func (instance *instance) output(ctx context.Context, part part) ([]byte, error) {
	length := uint32(instance.call(ctx, instance.functions.outputLen, uint64(part)))
	address := uint32(instance.call(ctx, instance.functions.output, uint64(part)))
	if instance.trapped != nil || length == 0 {
		return nil, instance.trapped
	}
	view, ok := instance.memory.Read(address, length)
	if !ok {
		instance.trapped = errors.New("sectile: the core returned an invalid address")
		return nil, instance.trapped
	}
	return append([]byte(nil), view...), nil
}

// failure returns the error that the core reports, or nil.
func (instance *instance) failure(ctx context.Context) error {
	output, err := instance.output(ctx, errorPart)
	if err != nil || output == nil {
		return err
	}
	failure := &Error{Offset: -1}
	if err := json.Unmarshal(output, failure); err != nil {
		return fmt.Errorf("sectile: the core reported an invalid error: %w", err)
	}
	return failure
}

// reading is the context of a call that reads a source.
type reading struct {
	context.Context
	source io.ReaderAt
	// err is the error of the source or of the context, at an offset.
	err    error
	offset int64
}

type readingKey struct{}

// Value returns the reading itself, even if a context is derived from it.
func (reading *reading) Value(key any) any {
	if key == (readingKey{}) {
		return reading
	}
	return reading.Context.Value(key)
}

// readAt is the core's import. It reads straight into the memory of the instance.
func readAt(ctx context.Context, module api.Module, stack []uint64) {
	address, length, offset := uint32(stack[1]), uint32(stack[2]), int64(stack[3])
	reading, _ := ctx.Value(readingKey{}).(*reading)
	stack[0] = api.EncodeI32(-1)
	if reading == nil || reading.err != nil {
		return
	}
	if err := reading.Err(); err != nil {
		reading.err, reading.offset = err, offset
		return
	}
	buffer, ok := module.Memory().Read(address, length)
	if !ok {
		reading.err, reading.offset = errors.New("the core read to an invalid address"), offset
		return
	}
	read, err := reading.source.ReadAt(buffer, offset)
	switch {
	case read > 0 && read <= len(buffer):
		stack[0] = api.EncodeI32(int32(read))
	case read == 0 && err == io.EOF:
		stack[0] = 0
	case read == 0 && err != nil:
		reading.err, reading.offset = err, offset
	case read == 0 && len(buffer) == 0:
		stack[0] = 0
	default:
		reading.err, reading.offset = fmt.Errorf("the source reported %d bytes for %d", read, len(buffer)), offset
	}
}
