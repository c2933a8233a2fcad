package sectile

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// documentJSON keeps the JSON of a document.
type documentJSON struct {
	raw []byte
}

// JSON returns the document byte for byte as the command `sectile --json` writes it, without the line feed.
// Do not change the bytes.
func (document *documentJSON) JSON() []byte { return document.raw }

func (document *documentJSON) setJSON(raw []byte) { document.raw = raw }

// Text is a value of the input: the bytes of a Go string, which may be other than UTF-8. In JSON, such
// bytes are in Base64.
type Text string

// textBytes is the form of bytes that are not UTF-8.
type textBytes struct {
	Base64 []byte `json:"base64"`
}

// MarshalJSON writes the text, or its bytes in Base64.
func (text Text) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(text)) {
		return json.Marshal(string(text))
	}
	return json.Marshal(textBytes{[]byte(text)})
}

// UnmarshalJSON reads a text, or bytes in Base64.
func (text *Text) UnmarshalJSON(encoded []byte) error {
	if !bytes.HasPrefix(encoded, []byte("{")) {
		return json.Unmarshal(encoded, (*string)(text))
	}
	var raw textBytes
	if err := json.Unmarshal(encoded, &raw); err != nil {
		return err
	}
	*text = Text(raw.Base64)
	return nil
}

// Range is a range of absolute byte offsets. The end is not included; it is -1 if it is not known.
type Range struct {
	Start, End int64
}

// MarshalJSON writes a pair.
func (of Range) MarshalJSON() ([]byte, error) {
	if of.End < 0 {
		return json.Marshal([2]any{of.Start, nil})
	}
	return json.Marshal([2]int64{of.Start, of.End})
}

// UnmarshalJSON reads a pair.
func (of *Range) UnmarshalJSON(encoded []byte) error {
	var pair [2]*int64
	if err := json.Unmarshal(encoded, &pair); err != nil {
		return err
	}
	of.Start, of.End = -1, -1
	if pair[0] != nil {
		of.Start = *pair[0]
	}
	if pair[1] != nil {
		of.End = *pair[1]
	}
	return nil
}

// Annotation returns the value of an annotation of an item, and whether the item has it.
func (item *Item) Annotation(field Field) (string, bool) {
	value, ok := item.Annotations[field]
	return string(value), ok
}
