package sectile_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	sectile "sectile.invalid/go"
)

// project is the root of the repository. The tests need it, the package does not.
const project = "../.."

// suite is tests/shared/cases.json.
type suite struct {
	Inputs map[string]struct {
		File   string
		Base64 []byte
	}
	Cases []struct {
		Input   string
		Request sharedRequest
		Answer  sharedAnswer
	}
}

type sharedRequest struct {
	Operation   string
	Policy      string
	Day         string
	Chunks      []int
	MaxBytes    int64 `json:"max_bytes"`
	DeclaredLen int64 `json:"declared_len"`
	Locations   []string
	Edit        struct {
		Item          string
		Set           [][2]string
		Unset         []sectile.Field
		Name          string
		DropProducers [][2]string `json:"drop_producers"`
		Producers     [][3]string
		Put           [][2]string
		Remove        []string
		AllowInvalid  bool `json:"allow_invalid"`
	}
	Strip struct {
		Names, All bool
		Keep       []string
		Item       *string
	}
}

type sharedAnswer struct {
	Document *string
	SHA256   string
	Accepted *bool
	Kind     string
	Message  string
	Size     int64
	Error    *struct {
		Message string
		Offset  *int64
	}
}

func readSuite(tb testing.TB) *suite {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(project, "tests/shared/cases.json"))
	if err != nil {
		tb.Fatal(err)
	}
	suite := new(suite)
	if err := json.Unmarshal(text, suite); err != nil {
		tb.Fatal(err)
	}
	return suite
}

func (suite *suite) input(tb testing.TB, name string) []byte {
	tb.Helper()
	input, ok := suite.Inputs[name]
	if !ok {
		tb.Fatalf("unknown input %s", name)
	}
	if input.File == "" {
		return input.Base64
	}
	content, err := os.ReadFile(filepath.Join(project, input.File))
	if err != nil {
		tb.Fatal(err)
	}
	return content
}

func TestSharedCasesHaveTheirAnswers(t *testing.T) {
	engine, suite := newEngine(t, sectile.Config{}), readSuite(t)
	if len(suite.Cases) < 100 {
		t.Fatalf("%d cases", len(suite.Cases))
	}
	for number, one := range suite.Cases {
		t.Run(fmt.Sprintf("%03d-%s-%s", number, one.Request.Operation, one.Input), func(t *testing.T) {
			t.Parallel()
			one.Request.run(t, engine, suite.input(t, one.Input), &one.Answer)
		})
	}
}

func (request *sharedRequest) run(t *testing.T, engine *sectile.Engine, input []byte, answer *sharedAnswer) {
	source, size := bytes.NewReader(input), int64(len(input))
	switch request.Operation {
	case "read", "inventory":
		options := sectile.ReadOptions{Recovered: request.Operation == "inventory"}
		document, err := engine.Read(t.Context(), source, size, options)
		answer.compare(t, document, err)
	case "sections":
		list, err := engine.Sections(t.Context(), source, size)
		answer.compare(t, list, err)
	case "check":
		options := sectile.CheckOptions{Day: request.day(t), Locations: request.Locations}
		verdict, err := engine.Check(t.Context(), source, size, request.policy(t, engine), options)
		if err != nil {
			t.Fatal(err)
		}
		answer.compare(t, verdict, nil)
	case "edit":
		plan, err := engine.Edit(t.Context(), source, size, request.changes(t))
		answer.comparePlan(t, plan, err)
	case "strip":
		strip := request.Strip
		options := sectile.StripOptions{Names: strip.Names, All: strip.All, Keep: strip.Keep, Item: strip.Item}
		plan, err := engine.Strip(t.Context(), source, size, options)
		answer.comparePlan(t, plan, err)
	case "push":
		scanner, err := engine.Scan(&chunkReader{chunks: request.chunks(input)}, sectile.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if passed, err := io.ReadAll(scanner); err != nil || !bytes.Equal(passed, input) {
			t.Fatalf("the bytes were not passed on: %v", err)
		}
		document, err := scanner.Document()
		answer.compare(t, document, err)
	case "gate":
		request.gate(t, engine, input, answer)
	default:
		t.Fatalf("unknown operation %s", request.Operation)
	}
}

func (request *sharedRequest) gate(t *testing.T, engine *sectile.Engine, input []byte, answer *sharedAnswer) {
	options := sectile.GateOptions{
		Size: request.DeclaredLen, MaxBytes: request.MaxBytes, Day: request.day(t), Locations: request.Locations,
	}
	gate, err := engine.NewGate(request.policy(t, engine), options)
	if err != nil {
		t.Fatal(err)
	}
	passed, err := io.ReadAll(gate.Reader(&chunkReader{chunks: request.chunks(input)}))
	if *answer.Accepted {
		verdict, end := gate.End()
		if err != nil || end != nil {
			t.Fatal(err, end)
		}
		if !bytes.Equal(passed, input) || gate.Size() != answer.Size || gate.Digest() != digest(input) {
			t.Fatal("an accepted upload was not passed on")
		}
		answer.compare(t, verdict, nil)
		return
	}
	var refusal *sectile.Refusal
	if !errors.As(err, &refusal) {
		t.Fatalf("not refused: %v", err)
	}
	if string(refusal.Reason.Kind) != answer.Kind || refusal.Reason.Message != answer.Message {
		t.Errorf("refused for %s: %s, not %s: %s", refusal.Reason.Kind, refusal.Reason.Message, answer.Kind, answer.Message)
	}
	answer.compare(t, refusal.Verdict, nil)
}

func (request *sharedRequest) policy(t *testing.T, engine *sectile.Engine) *sectile.Policy {
	if request.Policy == "" {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(project, request.Policy))
	if err != nil {
		t.Fatal(err)
	}
	policy, err := engine.ParsePolicy(string(text), request.Policy)
	if err != nil {
		t.Fatal(err)
	}
	return policy
}

func (request *sharedRequest) day(t *testing.T) time.Time {
	if request.Day == "" {
		return time.Time{}
	}
	day, err := time.Parse(time.DateOnly, request.Day)
	if err != nil {
		t.Fatal(err)
	}
	return day
}

func (request *sharedRequest) changes(t *testing.T) sectile.Changes {
	edit := request.Edit
	changes := sectile.Changes{
		Item: edit.Item, Unset: edit.Unset, Name: edit.Name, Remove: edit.Remove, AllowInvalid: edit.AllowInvalid,
	}
	for _, pair := range edit.Set {
		changes.Set = append(changes.Set, sectile.FieldValue{Field: sectile.Field(pair[0]), Value: pair[1]})
	}
	for _, pair := range edit.DropProducers {
		changes.DropProducers = append(changes.DropProducers, sectile.Producer{Field: pair[0], Name: pair[1]})
	}
	for _, triple := range edit.Producers {
		producer := sectile.Producer{Field: triple[0], Name: triple[1], Version: triple[2]}
		changes.Producers = append(changes.Producers, producer)
	}
	for _, pair := range edit.Put {
		data, err := base64.StdEncoding.DecodeString(pair[1])
		if err != nil {
			t.Fatal(err)
		}
		changes.Put = append(changes.Put, sectile.SectionData{Name: pair[0], Data: data})
	}
	return changes
}

// chunks splits the input in the sizes of the request, which repeat.
func (request *sharedRequest) chunks(input []byte) [][]byte {
	var chunks [][]byte
	for at := 0; len(input) > 0; at++ {
		size := min(request.Chunks[at%len(request.Chunks)], len(input))
		chunks = append(chunks, input[:size])
		input = input[size:]
	}
	return chunks
}

// chunkReader returns a chunk with each read.
type chunkReader struct{ chunks [][]byte }

func (reader *chunkReader) Read(buffer []byte) (int, error) {
	if len(reader.chunks) == 0 {
		return 0, io.EOF
	}
	read := copy(buffer, reader.chunks[0])
	if reader.chunks[0] = reader.chunks[0][read:]; len(reader.chunks[0]) == 0 {
		reader.chunks = reader.chunks[1:]
	}
	return read, nil
}

// compare compares a document, and decodes and encodes it, which loses nothing.
func (answer *sharedAnswer) compare(t *testing.T, document interface{ JSON() []byte }, err error) {
	t.Helper()
	if answer.Document == nil {
		t.Fatal("a document is not expected")
	}
	if string(document.JSON()) != *answer.Document {
		t.Errorf("got  %s\nwant %s\n%v", document.JSON(), *answer.Document, err)
	}
	encoded, marshal := json.Marshal(document)
	if marshal != nil {
		t.Fatal(marshal)
	}
	var got, want any
	if json.Unmarshal(encoded, &got) != nil || json.Unmarshal([]byte(*answer.Document), &want) != nil {
		t.Fatal("invalid JSON")
	}
	if difference := lost(want, got); difference != "" {
		t.Errorf("the Go types lose %s of %s", difference, *answer.Document)
	}
}

func (answer *sharedAnswer) comparePlan(t *testing.T, plan *sectile.Plan, err error) {
	t.Helper()
	if answer.Error != nil {
		var reason *sectile.Error
		if !errors.As(err, &reason) || reason.Message != answer.Error.Message {
			t.Fatalf("the error is %v, not %s", err, answer.Error.Message)
		}
		if answer.Error.Offset != nil && *answer.Error.Offset != reason.Offset {
			t.Errorf("the offset is %d, not %d", reason.Offset, *answer.Error.Offset)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	answer.compare(t, &plan.EditReport, nil)
	var edited bytes.Buffer
	if written, err := plan.WriteTo(&edited); err != nil || written != plan.NewSize {
		t.Fatalf("%d bytes were written of %d: %v", written, plan.NewSize, err)
	}
	if digest(edited.Bytes()) != answer.SHA256 {
		t.Errorf("the edited bytes differ")
	}
}

// lost returns the first key or value that a copy lacks. Zero values may be omitted or added.
func lost(want, got any) string {
	switch want := want.(type) {
	case map[string]any:
		if encoded, ok := want["base64"].(string); ok && got == decoded(encoded) {
			return "" // bytes that happen to be UTF-8
		}
		copied, ok := got.(map[string]any)
		if !ok {
			return "an object"
		}
		for key, value := range want {
			if difference := lost(value, copied[key]); difference != "" {
				return key + "." + difference
			}
		}
	case []any:
		copied, ok := got.([]any)
		if len(want) > 0 && (!ok || len(copied) != len(want)) {
			return "a list"
		}
		for at, value := range want {
			if difference := lost(value, copied[at]); difference != "" {
				return difference
			}
		}
	default:
		if want != nil && want != false && want != 0.0 && want != "" && want != got {
			return fmt.Sprint(want)
		}
	}
	return ""
}

func decoded(encoded string) string {
	content, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return ""
	}
	return string(content)
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// cache keeps the compiled core for the engines of all tests.
var cache string

func TestMain(m *testing.M) {
	directory, err := os.MkdirTemp("", "sectile-")
	if err != nil {
		panic(err)
	}
	cache = directory
	status := m.Run()
	if err := os.RemoveAll(directory); err != nil {
		panic(err)
	}
	os.Exit(status)
}

func newEngine(tb testing.TB, config sectile.Config) *sectile.Engine {
	tb.Helper()
	if config.CacheDir == "" && !config.Interpret {
		config.CacheDir = cache
	}
	engine, err := sectile.New(config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := engine.Close(); err != nil {
			tb.Error(err)
		}
	})
	return engine
}
