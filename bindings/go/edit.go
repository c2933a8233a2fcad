package sectile

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Changes describes an edit of one item. The changes are applied in the order of the fields.
type Changes struct {
	// Item is the path of the item, such as "3/0"; the root by default.
	Item string
	// Set are values of annotations, in order.
	Set []FieldValue
	// Unset are annotations to remove. [UnsetName] and [UnsetProducers] name the others.
	Unset []Field
	// Name is the name of the item; empty does not change it.
	Name string
	// DropProducers removes producers by field and name.
	DropProducers []Producer
	// Producers adds producers.
	Producers []Producer
	// Put replaces custom sections, or adds them.
	Put []SectionData
	// Remove are patterns of names of custom sections.
	Remove []string
	// AllowInvalid writes values that are not valid.
	AllowInvalid bool
	// Force edits objects that are yet to be linked.
	Force bool
}

// Targets of [Changes.Unset] that are not annotations.
const (
	UnsetName      Field = "name"
	UnsetProducers Field = "producers"
)

// FieldValue is a value for an annotation.
type FieldValue struct {
	Field Field
	Value string
}

// Producer is an entry of the section `producers`: a field such as "sdk", a name and a version.
type Producer struct {
	Field, Name, Version string
}

// SectionData is a custom section with its data.
type SectionData struct {
	Name string
	Data []byte
}

// StripOptions are the options of [Strip].
type StripOptions struct {
	// Names also removes function and local names.
	Names bool
	// All also removes every custom section that the binary does not need.
	All bool
	// Keep are patterns of names of sections that stay.
	Keep []string
	// Item is the path of the only item to change. By default, all items are changed.
	Item *string
	// Force edits objects that are yet to be linked.
	Force bool
}

// coreEdits is the key `edit` of a request.
type coreEdits struct {
	Item          string      `json:"item,omitempty"`
	Set           [][2]string `json:"set,omitempty"`
	Unset         []Field     `json:"unset,omitempty"`
	Name          *string     `json:"name,omitempty"`
	DropProducers [][2]string `json:"drop_producers,omitempty"`
	Producers     [][3]string `json:"producers,omitempty"`
	Put           []putPair   `json:"put,omitempty"`
	Remove        []string    `json:"remove,omitempty"`
	Strip         *coreStrip  `json:"strip,omitempty"`
	AllowInvalid  bool        `json:"allow_invalid,omitempty"`
	Force         bool        `json:"force,omitempty"`
}

type coreStrip struct {
	Names        bool     `json:"names,omitempty"`
	All          bool     `json:"all,omitempty"`
	Keep         []string `json:"keep,omitempty"`
	ThisItemOnly bool     `json:"this_item_only,omitempty"`
}

// putPair is a name and data, which JSON has in Base64.
type putPair SectionData

// MarshalJSON writes a pair.
func (pair putPair) MarshalJSON() ([]byte, error) { return json.Marshal([2]any{pair.Name, pair.Data}) }

func (changes *Changes) encode() *coreEdits {
	edits := &coreEdits{
		Item: changes.Item, Unset: changes.Unset, Remove: changes.Remove,
		AllowInvalid: changes.AllowInvalid, Force: changes.Force,
	}
	if changes.Name != "" {
		edits.Name = &changes.Name
	}
	for _, set := range changes.Set {
		edits.Set = append(edits.Set, [2]string{string(set.Field), set.Value})
	}
	for _, producer := range changes.DropProducers {
		edits.DropProducers = append(edits.DropProducers, [2]string{producer.Field, producer.Name})
	}
	for _, producer := range changes.Producers {
		edits.Producers = append(edits.Producers, [3]string{producer.Field, producer.Name, producer.Version})
	}
	for _, section := range changes.Put {
		if section.Data == nil {
			section.Data = []byte{} // nil is null in JSON
		}
		edits.Put = append(edits.Put, putPair(section))
	}
	return edits
}

func (options *StripOptions) encode() *coreEdits {
	strip := &coreStrip{Names: options.Names, All: options.All, Keep: options.Keep, ThisItemOnly: options.Item != nil}
	edits := &coreEdits{Strip: strip, Force: options.Force}
	if options.Item != nil {
		edits.Item = *options.Item
	}
	return edits
}

// Plan is an edit that was planned: the ranges of the source to keep, and the bytes to insert.
type Plan struct {
	// EditReport is the document of the edit: its changes, findings and differences.
	EditReport
	pieces []piece
	source io.ReaderAt
}

// piece is a range of the source, or inserted bytes.
type piece struct {
	start, length int64
	inserted      []byte
}

// Edit plans the changes of a source. The plan reads the source again when it is written: do not change
// the source before.
func Edit(source io.ReaderAt, size int64, changes Changes) (*Plan, error) {
	engine, err := defaultEngine()
	if err != nil {
		return nil, err
	}
	return engine.Edit(context.Background(), source, size, changes)
}

// Edit is [Edit] with a context, which is observed at each read of the source.
func (engine *Engine) Edit(ctx context.Context, source io.ReaderAt, size int64, changes Changes) (*Plan, error) {
	return engine.plan(ctx, source, size, changes.encode())
}

// Strip plans the removal of debug sections from a source and its nested items.
func Strip(source io.ReaderAt, size int64, options StripOptions) (*Plan, error) {
	engine, err := defaultEngine()
	if err != nil {
		return nil, err
	}
	return engine.Strip(context.Background(), source, size, options)
}

// Strip is [Strip] with a context, which is observed at each read of the source.
func (engine *Engine) Strip(ctx context.Context, source io.ReaderAt, size int64, options StripOptions) (*Plan, error) {
	return engine.plan(ctx, source, size, options.encode())
}

func (engine *Engine) plan(ctx context.Context, source io.ReaderAt, size int64, edits *coreEdits) (*Plan, error) {
	answer, err := engine.run(ctx, &request{Operation: "edit", Edit: edits}, source, size)
	if err != nil {
		return nil, err
	}
	report, err := decode[EditReport](answer, nil)
	if err != nil {
		return nil, err
	}
	pieces, err := decodePlan(answer.plan, size)
	if err != nil {
		return nil, err
	}
	return &Plan{EditReport: *report, pieces: pieces, source: source}, nil
}

// decodePlan decodes records of a kind, a start and an end, which precede the inserted bytes.
func decodePlan(encoded []byte, size int64) ([]piece, error) {
	const record = 24
	var pieces []piece
	inserts := uint64(len(encoded))
	for at := uint64(0); at < inserts; at += record {
		if inserts-at < record {
			return nil, errors.New("sectile: the core wrote an invalid plan")
		}
		kind := binary.LittleEndian.Uint64(encoded[at:])
		start, end := binary.LittleEndian.Uint64(encoded[at+8:]), binary.LittleEndian.Uint64(encoded[at+16:])
		switch {
		case kind == 0 && start <= end && end <= uint64(size):
			pieces = append(pieces, piece{start: int64(start), length: int64(end - start)})
		case kind == 1 && start <= end && end <= uint64(len(encoded)):
			inserts = min(inserts, start)
			pieces = append(pieces, piece{length: int64(end - start), inserted: encoded[start:end]})
		default:
			return nil, fmt.Errorf("sectile: the core wrote an invalid plan: record %d..%d", start, end)
		}
	}
	return pieces, nil
}

// IsIdentity reports whether the edit changes nothing.
func (plan *Plan) IsIdentity() bool { return !plan.Written }

// Reader returns a reader of the edited bytes.
func (plan *Plan) Reader() io.Reader {
	readers := make([]io.Reader, len(plan.pieces))
	for at, piece := range plan.pieces {
		if piece.inserted != nil {
			readers[at] = bytes.NewReader(piece.inserted)
		} else {
			readers[at] = &keptReader{io.NewSectionReader(plan.source, piece.start, piece.length), piece.length}
		}
	}
	return io.MultiReader(readers...)
}

// WriteTo writes the edited bytes.
func (plan *Plan) WriteTo(writer io.Writer) (int64, error) {
	return io.Copy(writer, plan.Reader())
}

// keptReader reads a range of the source, which must not end early.
type keptReader struct {
	section *io.SectionReader
	left    int64
}

func (reader *keptReader) Read(buffer []byte) (int, error) {
	read, err := reader.section.Read(buffer)
	reader.left -= int64(read)
	if err == io.EOF && reader.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return read, err
}
