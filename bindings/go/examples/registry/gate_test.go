package registry_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	memory "github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	sectile "sectile.invalid/go"
	registry "sectile.invalid/go/examples/registry"
)

const policyText = `
[[licenses]]
items = "all"
allow = ["MIT", "Apache-2.0"]

[[required]]
items = "root"
fields = ["licenses"]
`

// custom encodes a custom section of up to 127 bytes of name, and any data.
func custom(name string, data []byte) []byte {
	payload := append([]byte{byte(len(name))}, name...)
	payload = append(payload, data...)
	section := []byte{0}
	for size := len(payload); ; size >>= 7 {
		if size < 0x80 {
			section = append(section, byte(size))
			break
		}
		section = append(section, byte(size&0x7f|0x80))
	}
	return append(section, payload...)
}

// module encodes a module with a license, and padding after it.
func module(license string, padding int) []byte {
	content := []byte("\x00asm\x01\x00\x00\x00")
	content = append(content, custom("licenses", []byte(license))...)
	return append(content, custom("padding", bytes.Repeat([]byte{'x'}, padding))...)
}

// counted counts the bytes of bodies that the registry reads.
type counted struct {
	next  http.Handler
	bytes atomic.Int64
}

func (counted *counted) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	request.Body = &countedBody{request.Body, &counted.bytes}
	counted.next.ServeHTTP(writer, request)
}

type countedBody struct {
	io.ReadCloser
	bytes *atomic.Int64
}

func (body *countedBody) Read(buffer []byte) (int, error) {
	read, err := body.ReadCloser.Read(buffer)
	body.bytes.Add(int64(read))
	return read, err
}

// serve starts a registry behind a gate.
func serve(t *testing.T, options registry.Options) (*httptest.Server, *counted) {
	t.Helper()
	policy, err := sectile.ParsePolicy(policyText, "policy.toml")
	if err != nil {
		t.Fatal(err)
	}
	options.Policy = policy
	stored := &counted{next: memory.New(memory.Logger(log.New(io.Discard, "", 0)))}
	server := httptest.NewServer(registry.New(stored, options))
	t.Cleanup(server.Close)
	return server, stored
}

// repository is the name of a repository on a server.
func repository(t *testing.T, server *httptest.Server) name.Repository {
	t.Helper()
	repository, err := name.NewRepository(strings.TrimPrefix(server.URL, "http://") + "/app")
	if err != nil {
		t.Fatal(err)
	}
	return repository
}

// push uploads a blob as crane does: POST, PATCH, PUT.
func push(t *testing.T, server *httptest.Server, content []byte) error {
	t.Helper()
	layer := static.NewLayer(content, types.MediaType("application/wasm"))
	return remote.WriteLayer(repository(t, server), layer, remote.WithRetryBackoff(remote.Backoff{Steps: 1}))
}

func TestAcceptedBlobsAreStoredBitForBit(t *testing.T) {
	server, _ := serve(t, registry.Options{})
	for name, content := range map[string][]byte{
		"module": module("MIT", 3<<20), "config": []byte(`{"a": 1}`), "short": []byte("\x00as"), "empty": {},
	} {
		if err := push(t, server, content); err != nil {
			t.Fatal(name, err)
		}
		if pulled := pull(t, server, content); !bytes.Equal(pulled, content) {
			t.Errorf("%s: %d bytes of %d", name, len(pulled), len(content))
		}
	}
}

// pull returns a blob.
func pull(t *testing.T, server *httptest.Server, content []byte) []byte {
	t.Helper()
	response, err := http.Get(server.URL + "/v2/app/blobs/" + digest(content))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	pulled, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatal(response.Status, err)
	}
	return pulled
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func TestHostileBlobsAreRefusedWhileTheyArrive(t *testing.T) {
	server, stored := serve(t, registry.Options{MaxBytes: 64 << 20})
	for name, content := range map[string][]byte{
		"license":   module("Evil", 32<<20),
		"malformed": append(module("MIT", 10), bytes.Repeat([]byte{0xff}, 32<<20)...),
		"version":   append([]byte("\x00asm\x07\x00\x00\x00"), make([]byte, 32<<20)...),
	} {
		before := stored.bytes.Load()
		err := push(t, server, content)
		if err == nil {
			t.Fatal(name, "is accepted")
		}
		if read := stored.bytes.Load() - before; read > 1<<20 {
			t.Errorf("%s: the registry read %d bytes", name, read)
		}
		if missing, err := http.Head(server.URL + "/v2/app/blobs/" + digest(content)); err != nil ||
			missing.StatusCode != http.StatusNotFound {
			t.Errorf("%s is stored: %v", name, err)
		}
	}
}

func TestRefusalsAtTheEndAreNotStored(t *testing.T) {
	server, _ := serve(t, registry.Options{})
	for name, content := range map[string][]byte{
		"no license": []byte("\x00asm\x01\x00\x00\x00"),
		"truncated":  module("MIT", 1000)[:500],
		"magic":      []byte("\x00asm"),
	} {
		err := push(t, server, content)
		if err == nil || !strings.Contains(err.Error(), "DENIED") {
			t.Errorf("%s: %v", name, err)
		}
		if _, status := upload(t, server, content, len(content)); status != http.StatusForbidden {
			t.Errorf("%s: %d", name, status)
		}
	}
}

// upload sends a blob in requests of a size, and returns the last answer. The last request is a PUT with a
// body, as of oras.
func upload(t *testing.T, server *httptest.Server, content []byte, size int) (string, int) {
	t.Helper()
	location := begin(t, server)
	query := "?digest=" + url.QueryEscape(digest(content))
	at := 0
	for ; len(content)-at > size; at += size {
		part := content[at : at+size]
		if answer, status := send(t, http.MethodPatch, location, part, at); status != http.StatusAccepted {
			return answer, status
		}
	}
	return send(t, http.MethodPut, location+query, content[at:], at)
}

// begin begins an upload, and returns its URL.
func begin(t *testing.T, server *httptest.Server) string {
	t.Helper()
	response, err := http.Post(server.URL+"/v2/app/blobs/uploads/", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	location, err := response.Location()
	if err != nil {
		t.Fatal(response.Status, err)
	}
	return location.String()
}

// send sends bytes from an offset of the blob.
func send(t *testing.T, method, location string, content []byte, at int) (string, int) {
	t.Helper()
	request, err := http.NewRequest(method, location, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Range", fmt.Sprintf("%d-%d", at, at+len(content)-1))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer), response.StatusCode
}

func TestUploadsInPartsAreJudgedAsOne(t *testing.T) {
	server, _ := serve(t, registry.Options{})
	accepted, refused := module("MIT", 5000), module("Evil", 5000)
	for _, size := range []int{1, 3, 7, 1000, 1 << 20} {
		if size == 1 && testing.Short() {
			continue
		}
		content := append(bytes.Clone(accepted), custom("size", fmt.Append(nil, size))...)
		if size < 100 {
			content = append([]byte("\x00asm\x01\x00\x00\x00"), custom("licenses", []byte("MIT"))...)
			content = append(content, custom("size", fmt.Append(nil, size))...)
		}
		if answer, status := upload(t, server, content, size); status != http.StatusCreated {
			t.Fatalf("%d: %d %s", size, status, answer)
		}
		if pulled := pull(t, server, content); !bytes.Equal(pulled, content) {
			t.Errorf("%d: the blob differs", size)
		}
		if answer, status := upload(t, server, refused, size); status != http.StatusForbidden {
			t.Errorf("%d: %d %s", size, status, answer)
		}
	}
}

func TestUnknownUploadsAreRefused(t *testing.T) {
	server, _ := serve(t, registry.Options{Idle: time.Nanosecond})
	location := begin(t, server)
	time.Sleep(time.Millisecond)
	begin(t, server) // forgets the first
	if answer, status := send(t, http.MethodPatch, location, []byte("tail"), 0); status != http.StatusNotFound {
		t.Error(status, answer)
	}
}

func TestAnUploadAfterAFailedRequestIsRefused(t *testing.T) {
	server, _ := serve(t, registry.Options{})
	location := begin(t, server)
	if _, status := send(t, http.MethodPatch, location, module("Evil", 10), 0); status != http.StatusForbidden {
		t.Fatal(status)
	}
	content := module("MIT", 10)
	if _, status := send(t, http.MethodPut, location+"?digest="+digest(content), content, 0); status == http.StatusCreated {
		t.Error("a refused upload was continued")
	}
}

func TestTheNumberOfUploadsIsBounded(t *testing.T) {
	server, _ := serve(t, registry.Options{MaxUploads: 2})
	begin(t, server)
	begin(t, server)
	response, err := http.Post(server.URL+"/v2/app/blobs/uploads/", "", nil)
	if err != nil || response.StatusCode != http.StatusTooManyRequests {
		t.Error(response.Status, err)
	}
	response.Body.Close()
}

// A registry that reads as many bytes as the length says does not see the end of the body.
func TestTheEndIsJudgedBeforeTheLastByteIsPassedOn(t *testing.T) {
	policy, err := sectile.ParsePolicy(policyText, "policy.toml")
	if err != nil {
		t.Fatal(err)
	}
	var read atomic.Int64
	exact := http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if request.Method == http.MethodPost {
			writer.Header().Set("Location", request.URL.Path+"1")
			writer.WriteHeader(http.StatusAccepted)
			return
		}
		count, err := io.ReadFull(request.Body, make([]byte, request.ContentLength))
		read.Store(int64(count))
		if err == nil {
			writer.WriteHeader(http.StatusCreated)
		}
	})
	server := httptest.NewServer(registry.New(exact, registry.Options{Policy: policy}))
	t.Cleanup(server.Close)
	content := []byte("\x00asm\x01\x00\x00\x00")
	if answer, status := upload(t, server, content, len(content)); status != http.StatusForbidden || read.Load() != 0 {
		t.Error(status, answer, read.Load())
	}
	content = append(content, custom("licenses", []byte("MIT"))...)
	if answer, status := upload(t, server, content, len(content)); status != http.StatusCreated {
		t.Error(status, answer)
	}
}
