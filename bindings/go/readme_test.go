package sectile_test

import (
	"os"
	"strings"
	"testing"
)

// The example of the README is that of the documentation, which a test runs.
func TestTheExampleOfTheReadmeIsTested(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(readme), "```go\n")
	example, _, _ := strings.Cut(rest, "```")
	if !found || len(example) < 100 {
		t.Fatal("the README has no example")
	}
	for line := range strings.Lines(example) {
		if line = strings.TrimSpace(line); line != "" && !strings.Contains(string(tests), line) {
			t.Errorf("example_test.go lacks %s", line)
		}
	}
}
