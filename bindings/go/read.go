package sectile

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
)

// ReadOptions are the options of [Engine.Read].
type ReadOptions struct {
	// File is the name of the input in the document; "-" by default.
	File string
	// Recovered adds the packages that the data of modules names to those that are declared.
	Recovered bool
	// Interface adds imports and exports.
	Interface bool
}

// Read reads the metadata of the size bytes of a source. If the input is malformed or truncated, it
// returns an [*Error] together with the part before the fault; the document is nil if nothing was read.
func Read(source io.ReaderAt, size int64) (*Document, error) {
	engine, err := defaultEngine()
	if err != nil {
		return nil, err
	}
	return engine.Read(context.Background(), source, size, ReadOptions{})
}

// Read is [Read] with a context, which is observed at each read of the source, and with options.
func (engine *Engine) Read(ctx context.Context, source io.ReaderAt, size int64, options ReadOptions) (*Document, error) {
	request := options.request("read")
	return decode[Document](engine.run(ctx, &request, source, size))
}

func (options *ReadOptions) request(operation string) request {
	return request{
		Operation: operation, File: options.File, Packages: packages(options.Recovered), Interface: options.Interface,
	}
}

// Sections lists every section of a source, in file order. Errors are as for [Read].
func Sections(source io.ReaderAt, size int64) (*SectionList, error) {
	engine, err := defaultEngine()
	if err != nil {
		return nil, err
	}
	return engine.Sections(context.Background(), source, size)
}

// Sections is [Sections] with a context.
func (engine *Engine) Sections(ctx context.Context, source io.ReaderAt, size int64) (*SectionList, error) {
	return decode[SectionList](engine.run(ctx, &request{Operation: "sections"}, source, size))
}

// Inventory returns the packages that a source declares, and those that the data of its modules names.
// The list may be incomplete. Errors are as for [Read].
func Inventory(source io.ReaderAt, size int64) ([]Package, error) {
	engine, err := defaultEngine()
	if err != nil {
		return nil, err
	}
	return engine.Inventory(context.Background(), source, size)
}

// Inventory is [Inventory] with a context.
func (engine *Engine) Inventory(ctx context.Context, source io.ReaderAt, size int64) ([]Package, error) {
	document, err := engine.Read(ctx, source, size, ReadOptions{Recovered: true})
	if document == nil {
		return nil, err
	}
	return document.Packages, err
}

// answer is the output of an operation.
type answer struct {
	document, plan []byte
}

// run runs a request on a source. A partial answer comes with an error.
func (engine *Engine) run(ctx context.Context, request *request, source io.ReaderAt, size int64) (answer, error) {
	encoded, err := request.encode()
	if err != nil {
		return answer{}, err
	}
	if source == nil || size < 0 {
		return answer{}, argumentError("a source needs a reader and a size of at least 0, not %d", size)
	}
	if err := ctx.Err(); err != nil {
		return answer{}, &Error{Kind: KindRead, Message: err.Error(), Offset: -1, cause: err}
	}
	instance, err := engine.acquire(ctx)
	if err != nil {
		return answer{}, err
	}
	defer engine.release(instance)
	status, err := instance.run(ctx, encoded, source, size)
	if err != nil {
		return answer{}, err
	}
	return instance.answer(ctx, status)
}

// answer returns the output of an operation that ended, and the error that the core reports.
func (instance *instance) answer(ctx context.Context, status status) (answer answer, err error) {
	if answer.document, err = instance.output(ctx, documentPart); err != nil {
		return answer, err
	}
	if answer.plan, err = instance.output(ctx, planPart); err != nil {
		return answer, err
	}
	if status == done {
		return answer, nil
	}
	return answer, instance.failure(ctx)
}

// decode decodes the document of an answer, and passes its error on. Without a document it returns nil.
func decode[T any, P interface {
	*T
	setJSON([]byte)
}](answer answer, err error) (*T, error) {
	if answer.document == nil {
		return nil, err
	}
	document := new(T)
	if err := json.Unmarshal(answer.document, document); err != nil {
		return nil, fmt.Errorf("sectile: the core wrote an invalid document: %w", err)
	}
	P(document).setJSON(answer.document)
	return document, err
}
