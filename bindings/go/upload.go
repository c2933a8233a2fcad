package sectile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"runtime"
	"time"
)

// Bytes are fed in growing pieces, because the core tells after each whether the next ones can be skipped.
const (
	minPiece = 1 << 10
	maxPiece = 64 << 10
)

// upload is an operation on bytes that arrive in order. It holds an instance until it is released.
type upload struct {
	instance *instance
	ctx      context.Context
	cleanup  runtime.Cleanup
	// stopped is the status after which the core takes no more bytes.
	stopped status
	piece   int
}

// begin starts an operation. If its user forgets it, the garbage collector closes the instance.
func (engine *Engine) begin(ctx context.Context, request *request) (*upload, error) {
	encoded, err := request.encode()
	if err != nil {
		return nil, err
	}
	instance, err := engine.acquire(ctx)
	if err != nil {
		return nil, err
	}
	if err = instance.write(ctx, encoded); err == nil {
		begun := status(instance.call(ctx, instance.functions.begin, uint64(instance.buffer), uint64(len(encoded))))
		if err = instance.trapped; err == nil && begun != done {
			err = instance.failure(ctx)
		}
	}
	if err != nil {
		engine.release(instance)
		return nil, err
	}
	upload := &upload{instance: instance, ctx: context.WithoutCancel(ctx), piece: minPiece}
	upload.cleanup = runtime.AddCleanup(upload, closeInstance, instance)
	return upload, nil
}

// feed feeds bytes until the core takes no more.
func (upload *upload) feed(bytes []byte) error {
	instance, ctx := upload.instance, upload.ctx
	for len(bytes) > 0 && upload.stopped == done {
		skippable := instance.call(ctx, instance.functions.skippable)
		if skip := min(skippable, uint64(len(bytes))); skip > 0 {
			upload.stopped = status(instance.call(ctx, instance.functions.skip, skip))
			bytes, upload.piece = bytes[skip:], minPiece
		} else {
			piece := bytes[:min(len(bytes), upload.piece)]
			if err := instance.write(ctx, piece); err != nil {
				return err
			}
			upload.stopped = status(instance.call(ctx, instance.functions.feed, uint64(instance.buffer), uint64(len(piece))))
			bytes, upload.piece = bytes[len(piece):], min(2*upload.piece, maxPiece)
		}
		if instance.trapped != nil {
			return instance.trapped
		}
	}
	return nil
}

// end ends the operation, and releases the instance.
func (upload *upload) end(digest []byte) (answer, error) {
	defer upload.release()
	instance, ctx := upload.instance, upload.ctx
	address := uint64(0)
	if digest != nil {
		if err := instance.write(ctx, digest); err != nil {
			return answer{}, err
		}
		address = uint64(instance.buffer)
	}
	status := status(instance.call(ctx, instance.functions.end, address))
	if instance.trapped != nil {
		return answer{}, instance.trapped
	}
	return instance.answer(ctx, status)
}

func (upload *upload) release() {
	if upload.instance != nil {
		upload.cleanup.Stop()
		upload.instance.engine.release(upload.instance)
		upload.instance = nil
	}
}

// Scanner passes a stream on while it reads the metadata. See [Scan].
type Scanner struct {
	source   io.Reader
	upload   *upload
	document *Document
	err      error
}

// Scan returns a reader of the same bytes. [Scanner.Document] returns the metadata after the end. The
// bytes are passed on even if they are malformed.
func Scan(source io.Reader) (*Scanner, error) {
	engine, err := defaultEngine()
	if err != nil {
		return nil, err
	}
	return engine.Scan(source, ReadOptions{})
}

// Scan is [Scan] with options.
func (engine *Engine) Scan(source io.Reader, options ReadOptions) (*Scanner, error) {
	request := options.request("read")
	upload, err := engine.begin(context.Background(), &request)
	if err != nil {
		return nil, err
	}
	return &Scanner{source: source, upload: upload}, nil
}

// Read reads from the source.
func (scanner *Scanner) Read(buffer []byte) (int, error) {
	read, err := scanner.source.Read(buffer)
	if scanner.upload != nil && scanner.err == nil {
		scanner.err = scanner.upload.feed(buffer[:read])
	}
	if err == io.EOF {
		_, _ = scanner.Document()
	}
	return read, err
}

// Document ends the scan, and returns the metadata of the bytes that were read so far. Errors are as for
// [Read].
func (scanner *Scanner) Document() (*Document, error) {
	if scanner.upload != nil && scanner.err != nil {
		scanner.Close()
	}
	if scanner.upload != nil {
		scanner.document, scanner.err = decode[Document](scanner.upload.end(nil))
		scanner.upload = nil
	}
	return scanner.document, scanner.err
}

// Close releases a scan that is not wanted anymore. [Scanner.Document] and the end of the source do so, too.
func (scanner *Scanner) Close() error {
	if scanner.upload != nil {
		scanner.upload.release()
		scanner.upload = nil
		if scanner.err == nil {
			scanner.err = errClosed
		}
	}
	return nil
}

var errClosed = errors.New("sectile: closed before the end of the input")

// GateOptions are the options of [NewGate].
type GateOptions struct {
	// File is the name of the upload in the document; "-" by default.
	File string
	// Locations are the locations of the upload, for the exceptions of the policy.
	Locations []string
	// Digest is the claimed digest, "sha256:…", for the exceptions of the policy.
	Digest string
	// Recovered also judges the packages that the data of modules names.
	Recovered bool
	// Size is the declared length if it is positive, such as that of Content-Length.
	Size int64
	// MaxBytes refuses longer uploads if it is positive.
	MaxBytes int64
	// Day is the day that exceptions expire by; today in UTC by default.
	Day time.Time
}

// Gate judges an upload while it arrives, and computes its SHA-256. One goroutine uses a gate at a time.
type Gate struct {
	upload  *upload
	hash    hash.Hash
	size    int64
	verdict *Verdict
	err     error
}

// NewGate returns a gate for one upload. A nil policy is the default one. [Gate.End], [Gate.Close] or a
// refusal release it.
func NewGate(policy *Policy, options GateOptions) (*Gate, error) {
	engine, err := defaultEngine()
	if err != nil {
		return nil, err
	}
	return engine.NewGate(policy, options)
}

// NewGate is [NewGate] with this engine.
func (engine *Engine) NewGate(policy *Policy, options GateOptions) (*Gate, error) {
	request := request{
		Operation: "gate", File: options.File, Packages: packages(options.Recovered), Locations: options.Locations,
		Digest: options.Digest, HostDigest: true,
	}
	if options.Size > 0 {
		request.DeclaredLen = &options.Size
	}
	if options.MaxBytes > 0 {
		request.MaxBytes = &options.MaxBytes
	}
	request.setPolicy(policy, options.Day)
	upload, err := engine.begin(context.Background(), &request)
	if err != nil {
		return nil, err
	}
	return &Gate{upload: upload, hash: sha256.New()}, nil
}

// Write inspects the next bytes. The error is a [*Refusal] as soon as the bytes show that the upload is
// refused; further calls return it again.
func (gate *Gate) Write(bytes []byte) (int, error) {
	if gate.err != nil {
		return 0, gate.err
	}
	if gate.upload == nil {
		return 0, errClosed
	}
	if err := gate.upload.feed(bytes); err != nil {
		gate.err = err
		_ = gate.Close()
		return 0, err
	}
	gate.size += int64(len(bytes))
	if gate.upload.stopped != done {
		gate.end(nil)
		return 0, gate.err
	}
	_, _ = gate.hash.Write(bytes)
	return len(bytes), nil
}

// End ends the upload, and returns the verdict if it is accepted. The error is a [*Refusal] if it is not.
func (gate *Gate) End() (*Verdict, error) {
	if gate.upload != nil {
		gate.end(gate.hash.Sum(nil))
	}
	return gate.verdict, gate.err
}

func (gate *Gate) end(digest []byte) {
	verdict, err := decode[Verdict](gate.upload.end(digest))
	gate.upload = nil
	var reason *Error
	switch {
	case err == nil:
		gate.verdict = verdict
	case errors.As(err, &reason) && verdict != nil:
		gate.err = &Refusal{Reason: reason, Verdict: verdict, Size: gate.size}
	default:
		gate.err = err
	}
}

// Digest returns the SHA-256 of the bytes so far, "sha256:…".
func (gate *Gate) Digest() string { return "sha256:" + hex.EncodeToString(gate.hash.Sum(nil)) }

// Size returns the number of bytes so far.
func (gate *Gate) Size() int64 { return gate.size }

// Close releases a gate that is not wanted anymore.
func (gate *Gate) Close() error {
	if gate.upload != nil {
		gate.upload.release()
		gate.upload = nil
		if gate.err == nil {
			gate.err = errClosed
		}
	}
	return nil
}

// Reader returns a reader of an upload that passes on what the gate has inspected. A refusal is an error
// of the reader, and comes instead of the bytes that show it, or of the end. Some refusals need the end: if
// the program does not read to it, call [Gate.End] before the bytes are used.
func (gate *Gate) Reader(source io.Reader) io.Reader { return &gateReader{gate, source} }

type gateReader struct {
	gate   *Gate
	source io.Reader
}

func (reader *gateReader) Read(buffer []byte) (int, error) {
	read, err := reader.source.Read(buffer)
	if read > 0 {
		if _, refused := reader.gate.Write(buffer[:read]); refused != nil {
			return 0, refused
		}
	}
	if err == io.EOF {
		if _, refused := reader.gate.End(); refused != nil {
			return read, refused
		}
	}
	return read, err
}
