package sectile

import (
	"fmt"
)

// Kind is the kind of an [Error]. It is an error itself, for [errors.Is]:
//
//	if errors.Is(err, sectile.KindTruncated) { … }
type Kind string

// The kinds of errors.
const (
	// KindArgument is an argument that is not valid.
	KindArgument Kind = "argument"
	// KindPolicy is a policy that is not valid.
	KindPolicy Kind = "policy"
	// KindNotWasm is an input that is not WebAssembly.
	KindNotWasm Kind = "not-wasm"
	// KindMalformed is an input with malformed framing.
	KindMalformed Kind = "malformed"
	// KindTruncated is an input that ends too early.
	KindTruncated Kind = "truncated"
	// KindLimit is an input that exceeds a limit.
	KindLimit Kind = "limit"
	// KindLength is an input of another length than declared.
	KindLength Kind = "length"
	// KindTooLarge is an upload of more bytes than permitted.
	KindTooLarge Kind = "too-large"
	// KindRead is an error of the source, or a context that was canceled. [Error.Unwrap] returns it.
	KindRead Kind = "read"
	// KindEdit is an edit that is not possible.
	KindEdit Kind = "edit"
	// KindRefused is an upload that the policy refuses.
	KindRefused Kind = "refused"
	// KindLeftOut is a document that would be too long for its input, and lacks rows.
	KindLeftOut Kind = "left-out"
)

// Error returns the name of the kind.
func (kind Kind) Error() string { return string(kind) }

// Error is an error of the core.
type Error struct {
	Kind    Kind   `json:"kind"`
	Message string `json:"message"`
	// Offset is the absolute byte offset in the input, or -1.
	Offset int64 `json:"offset"`
	// ItemPath is the path of the item with the fault, such as "3/0"; empty for the root item.
	ItemPath string `json:"path"`
	// Line and Column are the place in a policy, or 0.
	Line   int `json:"line"`
	Column int `json:"column"`
	// Code is the code of the finding that the policy refuses, or empty.
	Code  FindingCode `json:"code"`
	cause error
}

// Error returns the message with its place.
func (err *Error) Error() string {
	if err.Kind == KindRead && err.cause != nil && err.Offset >= 0 {
		return fmt.Sprintf("sectile: cannot read at offset %#x: %s", err.Offset, err.Message)
	}
	return "sectile: " + err.Message
}

// Unwrap returns the error of the source or of the context, if it is the cause.
func (err *Error) Unwrap() error { return err.cause }

// Is reports whether the target is the kind of the error.
func (err *Error) Is(target error) bool {
	kind, ok := target.(Kind)
	return ok && kind == err.Kind
}

// Refusal is the error of a [Gate] that refused an upload.
type Refusal struct {
	// Reason is the reason, with the place of the fault.
	Reason *Error
	// Verdict judges the part that was inspected.
	Verdict *Verdict
	// Size is the number of bytes that were inspected.
	Size int64
}

// Error returns the message of the reason.
func (refusal *Refusal) Error() string { return refusal.Reason.Error() }

// Unwrap returns the reason.
func (refusal *Refusal) Unwrap() error { return refusal.Reason }

func argumentError(format string, arguments ...any) error {
	return &Error{Kind: KindArgument, Message: fmt.Sprintf(format, arguments...), Offset: -1}
}
