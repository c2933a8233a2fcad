//go:build peers

package registry_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	sectile "sectile.invalid/go"
	registry "sectile.invalid/go/examples/registry"
)

// program is a program that .ci/peers installs.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../../../../target/go/bin", name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// distribution starts the registry, and returns its address.
func distribution(t *testing.T) *url.URL {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	directory := t.TempDir()
	config := filepath.Join(directory, "config.yml")
	text := fmt.Sprintf("version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: %q}\n",
		filepath.Join(directory, "blobs"), address)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, program(t, "registry"), "serve", config)
	command.Env = append(os.Environ(), "OTEL_TRACES_EXPORTER=none")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = command.Wait() })
	server := &url.URL{Scheme: "http", Host: address}
	for range 300 {
		if response, err := http.Get(server.String() + "/v2/"); err == nil {
			response.Body.Close()
			return server
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("the registry does not start")
	return nil
}

// run runs a program, and returns what it prints.
func run(t *testing.T, directory, name string, arguments ...string) (string, error) {
	t.Helper()
	command := exec.Command(program(t, name), arguments...)
	command.Dir = directory
	output, err := command.CombinedOutput()
	return string(output), err
}

// gated starts a registry with the gate before it.
func gated(t *testing.T) (*httptest.Server, *counted) {
	t.Helper()
	policy, err := sectile.ParsePolicy(policyText, "policy.toml")
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(distribution(t))
	proxy.ErrorLog = log.New(io.Discard, "", 0) // refused bodies are errors of the proxy
	director := proxy.Director
	// Without this header, the registry answers with its own address.
	proxy.Director = func(request *http.Request) {
		request.Header.Set("X-Forwarded-Host", request.Host)
		director(request)
	}
	stored := &counted{next: proxy}
	server := httptest.NewServer(registry.New(stored, registry.Options{Policy: policy}))
	t.Cleanup(server.Close)
	return server, stored
}

// conformance runs the conformance tests of the distribution specification, and returns the outcome of each.
func conformance(t *testing.T, host string) map[string]string {
	t.Helper()
	directory := t.TempDir()
	command := exec.Command(program(t, "conformance"))
	command.Dir = directory
	command.Env = append(os.Environ(), "OCI_REGISTRY="+host, "OCI_TLS=disabled", "OCI_RESULTS_DIR="+directory)
	output, _ := command.CombinedOutput() // it fails if a test does
	text, err := os.ReadFile(filepath.Join(directory, "junit.xml"))
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	var report struct {
		Suites []struct {
			Cases []struct {
				Class  string `xml:"classname,attr"`
				Name   string `xml:"name,attr"`
				Status string `xml:"status,attr"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(text, &report); err != nil {
		t.Fatal(err)
	}
	outcomes := map[string]string{}
	for _, suite := range report.Suites {
		for _, test := range suite.Cases {
			outcomes[test.Class+"/"+test.Name] = test.Status
		}
	}
	return outcomes
}

// The registry fails some of the tests by itself.
func TestTheGateConformsAsTheRegistryDoes(t *testing.T) {
	server, _ := gated(t)
	alone, behind := conformance(t, distribution(t).Host), conformance(t, strings.TrimPrefix(server.URL, "http://"))
	counts := map[string]int{}
	for name, outcome := range alone {
		counts[outcome]++
		if behind[name] != outcome {
			t.Errorf("%s: %q with the gate, %q without", name, behind[name], outcome)
		}
	}
	if len(alone) < 50 || len(behind) != len(alone) || counts["passed"] < 40 {
		t.Errorf("%d tests without the gate, %d with: %v", len(alone), len(behind), counts)
	}
	t.Log(counts)
}

func TestClientsPushToDistributionThroughTheGate(t *testing.T) {
	server, stored := gated(t)
	host := strings.TrimPrefix(server.URL, "http://")

	directory := t.TempDir()
	accepted, refused := module("MIT", 8<<20), module("Evil", 32<<20)
	for name, content := range map[string][]byte{"accepted.wasm": accepted, "refused.wasm": refused} {
		if err := os.WriteFile(filepath.Join(directory, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, client := range []string{"oras", "crane"} {
		t.Run(client, func(t *testing.T) {
			push := func(file string) (string, error) {
				tag := host + "/" + client + ":" + strings.TrimSuffix(file, ".wasm")
				if client == "oras" {
					return run(t, directory, "oras", "push", "--plain-http", tag, file+":application/wasm")
				}
				layout := "layout-" + file
				output, err := run(t, directory, "oras", "push", "--oci-layout", layout+":tag", file+":application/wasm")
				if err != nil {
					t.Fatal(err, output)
				}
				return run(t, directory, "crane", "push", "--insecure", layout, tag)
			}
			if output, err := push("accepted.wasm"); err != nil {
				t.Fatal(err, output)
			}
			response, err := http.Get(server.URL + "/v2/" + client + "/blobs/" + digest(accepted))
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			var pulled bytes.Buffer
			if _, err := pulled.ReadFrom(response.Body); err != nil || !bytes.Equal(pulled.Bytes(), accepted) {
				t.Errorf("%d bytes are stored: %v", pulled.Len(), err)
			}

			before := stored.bytes.Load()
			output, err := push("refused.wasm")
			if err == nil {
				t.Fatal("a hostile blob is accepted")
			}
			if !strings.Contains(output, "not-spdx") {
				t.Errorf("the client does not say why: %s", output)
			}
			if read := stored.bytes.Load() - before; read > 4<<20 {
				t.Errorf("%d bytes were passed on", read)
			}
			missing, err := http.Head(server.URL + "/v2/" + client + "/blobs/" + digest(refused))
			if err != nil || missing.StatusCode != http.StatusNotFound {
				t.Errorf("the blob is stored: %v", err)
			}
		})
	}
}
