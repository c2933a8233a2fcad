// Package registry puts Sectile's gate before the blob uploads of an OCI registry.
//
// [New] wraps the handler of a registry, or a reverse proxy to one. A blob that starts as WebAssembly is
// judged while it arrives, and its upload fails as soon as the bytes show that the policy refuses it. Other
// blobs pass: manifests, configurations and archives.
package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	sectile "sectile.invalid/go"
)

// magic is the start of every module and component.
const magic = "\x00asm"

// Options are the options of [New].
type Options struct {
	// Policy judges the uploads; nil is the default policy.
	Policy *sectile.Policy
	// MaxBytes refuses longer modules and components if it is positive.
	MaxBytes int64
	// MaxUploads is the number of uploads at a time; 1,000 by default. Further ones are told to retry.
	MaxUploads int
	// Idle is the time after which an upload without requests is forgotten; 10 minutes by default.
	Idle time.Duration
}

// gate keeps the uploads that have begun. Requests of one upload must reach the same gate.
type gate struct {
	next    http.Handler
	options Options

	mutex   sync.Mutex
	uploads map[string]*upload
}

// upload is one upload. A registry appends the bytes of its requests in order.
type upload struct {
	mutex sync.Mutex
	used  time.Time
	// head is the start of the blob, until it is long enough to tell.
	head   []byte
	size   int64
	passes bool
	gate   *sectile.Gate
	err    error
}

// errOutOfStep is the error of an upload whose bytes in the registry may differ from those that were judged.
var errOutOfStep = errors.New("an earlier request of this upload failed: start the upload again")

// New returns a handler that judges blobs before the next handler stores them.
func New(next http.Handler, options Options) http.Handler {
	if options.MaxUploads <= 0 {
		options.MaxUploads = 1000
	}
	if options.Idle <= 0 {
		options.Idle = 10 * time.Minute
	}
	return &gate{next: next, options: options, uploads: map[string]*upload{}}
}

// ServeHTTP judges the bodies of uploads, and passes everything else on.
func (gate *gate) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	key := path.Clean(request.URL.Path)
	switch {
	case !strings.Contains(key, "/blobs/uploads"):
		gate.next.ServeHTTP(writer, request)
	case request.Method == http.MethodPost:
		gate.begin(writer, request)
	case request.Method == http.MethodPatch || request.Method == http.MethodPut:
		gate.transfer(writer, request, key)
	default:
		if request.Method == http.MethodDelete {
			gate.forget(key)
		}
		gate.next.ServeHTTP(writer, request)
	}
}

// begin passes on a request that begins an upload, or is all of one. It remembers the upload, because the
// bytes of an unknown upload may continue others that were not judged.
func (gate *gate) begin(writer http.ResponseWriter, request *http.Request) {
	upload := &upload{used: time.Now()}
	gate.expire()
	gate.mutex.Lock()
	isFull := len(gate.uploads) >= gate.options.MaxUploads
	gate.mutex.Unlock()
	if isFull {
		writer.Header().Set("Retry-After", "10")
		writeError(writer, http.StatusTooManyRequests, "TOOMANYREQUESTS", "too many uploads at a time")
		return
	}
	upload.mutex.Lock()
	defer upload.mutex.Unlock()
	response := gate.pass(writer, request, upload, request.URL.Query().Has("digest"))
	location, err := url.Parse(response.Header().Get("Location"))
	if response.status != http.StatusAccepted || err != nil {
		upload.close()
		return
	}
	gate.mutex.Lock()
	gate.uploads[path.Clean(request.URL.ResolveReference(location).Path)] = upload
	gate.mutex.Unlock()
}

// transfer passes on a request with the next bytes of an upload; PUT ends it.
func (gate *gate) transfer(writer http.ResponseWriter, request *http.Request, key string) {
	gate.mutex.Lock()
	upload := gate.uploads[key]
	gate.mutex.Unlock()
	if upload == nil {
		writeError(writer, http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN", "the upload is not known: start it again")
		return
	}
	upload.mutex.Lock()
	defer upload.mutex.Unlock()
	isLast := request.Method == http.MethodPut
	response := gate.pass(writer, request, upload, isLast)
	upload.used = time.Now()
	// The registry states how many bytes it has: a failed request may have stored fewer than were judged.
	hasAll := response.status/100 == 2 && (isLast || hasRange(response.Header().Get("Range"), upload.size))
	if upload.err == nil && !hasAll {
		upload.err = errOutOfStep
	}
	if isLast {
		gate.forget(key)
		upload.close()
	}
}

// hasRange reports whether a registry has so many bytes.
func hasRange(header string, size int64) bool {
	_, last, found := strings.Cut(header, "-")
	end, err := strconv.ParseInt(last, 10, 64)
	return found && err == nil && (end == size-1 || size == 0 && end == 0)
}

// pass passes a request on with a judged body. If the upload is refused, the client gets the reason
// instead of the answer of the registry.
func (gate *gate) pass(writer http.ResponseWriter, request *http.Request, upload *upload, isLast bool) *response {
	response := &response{ResponseWriter: writer, upload: upload}
	body := &body{ReadCloser: request.Body, upload: upload, options: &gate.options, isLast: isLast}
	if isLast {
		body.digest = request.URL.Query().Get("digest")
		body.declared, body.left = request.ContentLength, request.ContentLength
	}
	if request.ContentLength == 0 && isLast {
		upload.end() // the registry may not read an empty body
	}
	if upload.err == nil {
		judged := request.Clone(request.Context())
		judged.Body = body
		gate.next.ServeHTTP(response, judged)
	}
	if upload.err != nil && !response.isSent {
		// The client still sends: do not wait for the rest of the body.
		writer.Header().Set("Connection", "close")
		code, status := "DENIED", http.StatusForbidden
		if !isRefusal(upload.err) {
			code, status = "BLOB_UPLOAD_INVALID", http.StatusBadRequest
		}
		writeError(writer, status, code, upload.err.Error())
		response.status = status
	}
	return response
}

func isRefusal(err error) bool {
	var refusal *sectile.Refusal
	return errors.As(err, &refusal)
}

func (gate *gate) forget(key string) {
	gate.mutex.Lock()
	delete(gate.uploads, key)
	gate.mutex.Unlock()
}

// expire forgets the uploads that were not used for a while.
func (gate *gate) expire() {
	gate.mutex.Lock()
	defer gate.mutex.Unlock()
	for key, upload := range gate.uploads {
		// An upload whose request runs is used.
		if upload.mutex.TryLock() {
			if time.Since(upload.used) > gate.options.Idle {
				delete(gate.uploads, key)
				upload.close()
			}
			upload.mutex.Unlock()
		}
	}
}

// inspect judges the next bytes.
func (upload *upload) inspect(chunk []byte, options *Options, digest string, declared int64) error {
	if upload.err != nil {
		return upload.err
	}
	upload.size += int64(len(chunk))
	if upload.passes {
		return nil
	}
	if upload.gate == nil {
		upload.head = append(upload.head, chunk[:min(len(chunk), len(magic)-len(upload.head))]...)
		if !strings.HasPrefix(magic, string(upload.head)) {
			upload.passes = true
			return nil
		}
		if len(upload.head) < len(magic) {
			return nil
		}
		gate, err := sectile.NewGate(options.Policy, sectile.GateOptions{
			MaxBytes: options.MaxBytes, Digest: digest, Size: declared,
		})
		if err != nil {
			upload.err = err
			return err
		}
		upload.gate = gate
		// Earlier requests may have had a part of the head, which is judged first.
		earlier := upload.size - int64(len(chunk))
		chunk = append([]byte(magic[:earlier]), chunk...)
	}
	_, upload.err = upload.gate.Write(chunk)
	return upload.err
}

// end judges the end.
func (upload *upload) end() {
	if upload.gate != nil && upload.err == nil {
		_, upload.err = upload.gate.End()
	}
}

// close releases the gate.
func (upload *upload) close() {
	if upload.gate != nil {
		_ = upload.gate.Close()
	}
}

// body is a body that is judged as it is read.
type body struct {
	io.ReadCloser
	upload   *upload
	options  *Options
	isLast   bool
	digest   string
	declared int64
	// left is the number of bytes to come, if it is positive: a registry may not read to the end.
	left int64
}

// Read reads bytes, and judges them before the registry sees them.
func (body *body) Read(buffer []byte) (int, error) {
	read, err := body.ReadCloser.Read(buffer)
	if read > 0 {
		declared := int64(0)
		if body.upload.size == 0 {
			declared = body.declared // the whole blob is in this request
		}
		if refused := body.upload.inspect(buffer[:read], body.options, body.digest, declared); refused != nil {
			return 0, refused
		}
	}
	body.left -= int64(read)
	switch {
	case body.isLast && (err == io.EOF || read > 0 && body.left == 0):
		body.upload.end()
		if body.upload.err != nil {
			return 0, body.upload.err
		}
	case err != nil && err != io.EOF:
		body.upload.err = fmt.Errorf("%w: %w", errOutOfStep, err)
	}
	return read, err
}

// response is an answer of the registry, which is dropped if the upload is refused meanwhile.
type response struct {
	http.ResponseWriter
	upload *upload
	status int
	isSent bool
}

// WriteHeader sends the status, unless the upload is refused.
func (response *response) WriteHeader(status int) {
	if response.upload.err == nil && !response.isSent {
		response.status, response.isSent = status, true
		response.ResponseWriter.WriteHeader(status)
	}
}

// Write sends a part of the answer, unless the upload is refused.
func (response *response) Write(content []byte) (int, error) {
	response.WriteHeader(http.StatusOK)
	if !response.isSent {
		return len(content), nil
	}
	return response.ResponseWriter.Write(content)
}

// writeError writes an error as the specification of registries says.
func writeError(writer http.ResponseWriter, status int, code, message string) {
	var document bytes.Buffer
	encoder := json.NewEncoder(&document)
	encoder.SetEscapeHTML(false)
	reason := map[string]string{"code": code, "message": message}
	if encoder.Encode(map[string]any{"errors": []any{reason}}) != nil {
		status = http.StatusInternalServerError
	}
	for _, stale := range []string{"Content-Length", "Location", "Range", "Docker-Upload-UUID"} {
		writer.Header().Del(stale)
	}
	writer.Header().Set("Content-Type", "application/json")
	writer.WriteHeader(status)
	_, _ = writer.Write(document.Bytes())
}
