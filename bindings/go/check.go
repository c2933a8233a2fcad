package sectile

import (
	"context"
	"errors"
	"io"
	"time"
)

// Policy is a set of rules. docs/policy.md describes its text. It may be used by several goroutines.
type Policy struct {
	text, name string
}

// ParsePolicy parses the text of a policy. The name is used in messages; the default is "policy.toml".
// The error is an [*Error] with line and column.
func ParsePolicy(text, name string) (*Policy, error) {
	engine, err := defaultEngine()
	if err != nil {
		return nil, err
	}
	return engine.ParsePolicy(text, name)
}

// ParsePolicy is [ParsePolicy] with this engine. The policy can be used with every engine.
func (engine *Engine) ParsePolicy(text, name string) (*Policy, error) {
	policy := &Policy{text: text, name: name}
	request := request{Operation: "check"}
	request.setPolicy(policy, time.Time{})
	upload, err := engine.begin(context.Background(), &request)
	if err != nil {
		return nil, err
	}
	upload.release()
	return policy, nil
}

// CheckOptions are the options of [Engine.Check].
type CheckOptions struct {
	// File is the name of the input in the document; "-" by default.
	File string
	// Locations are the locations of the input, for the exceptions of the policy.
	Locations []string
	// Recovered also judges the packages that the data of modules names.
	Recovered bool
	// Day is the day that exceptions expire by; today in UTC by default.
	Day time.Time
}

// Check judges a source by a policy; nil is the default one. An input that is malformed, truncated or not
// WebAssembly has a verdict, too: it is not accepted, and [Verdict.Reason] says why. The error is of the
// source or the arguments.
func Check(source io.ReaderAt, size int64, policy *Policy) (*Verdict, error) {
	engine, err := defaultEngine()
	if err != nil {
		return nil, err
	}
	return engine.Check(context.Background(), source, size, policy, CheckOptions{})
}

// Check is [Check] with a context, which is observed at each read of the source, and with options.
func (engine *Engine) Check(
	ctx context.Context, source io.ReaderAt, size int64, policy *Policy, options CheckOptions,
) (*Verdict, error) {
	request := request{
		Operation: "check", File: options.File, Packages: packages(options.Recovered), Locations: options.Locations,
	}
	request.setPolicy(policy, options.Day)
	verdict, err := decode[Verdict](engine.run(ctx, &request, source, size))
	if verdict != nil && isOfInput(err) {
		err = nil
	}
	return verdict, err
}

// isOfInput reports whether an error is about the input, so that a verdict states it.
func isOfInput(err error) bool {
	for _, kind := range [...]Kind{KindNotWasm, KindMalformed, KindTruncated, KindLimit, KindLeftOut} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}
