// Command schematypes writes Go types for the JSON documents of the core, from their schemas, which are
// generated from the tables of the Rust crates. Arguments: the directory of the schemas, the file to write.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
)

// schema is the part of JSON Schema that the documents use.
type schema struct {
	Ref         string             `json:"$ref"`
	Definitions map[string]*schema `json:"$defs"`
	Description string             `json:"description"`
	Type        any                `json:"type"`
	Properties  map[string]*schema `json:"properties"`
	Additional  json.RawMessage    `json:"additionalProperties"`
	Required    []string           `json:"required"`
	Items       json.RawMessage    `json:"items"`
	Prefix      []*schema          `json:"prefixItems"`
	Enum        []any              `json:"enum"`
	Const       any                `json:"const"`
	AnyOf       []*schema          `json:"anyOf"`
}

// documents are the files, and the types of their documents.
var documents = [][2]string{
	{"show", "Document"}, {"sections", "SectionList"}, {"check", "Verdict"}, {"edit", "EditReport"},
}

// names are Go names of objects and texts from tables, by the key that holds them.
var names = map[string]string{
	"item": "Item", "findings": "Finding", "packages": "Package", "sections": "Section", "changes": "Change",
	"differences": "Difference", "dependencies": "Dependency", "imports": "Extern", "exports": "Extern",
	"go_builds": "GoBuild", "wit_package": "WITPackage", "reason": "Reason", "excepted": "Exception",
	"advisories": "Advisory", "database": "AdvisoryDatabase", "outcome": "Outcome",
}

// definitions are Go names of shared definitions. The others are written in place.
var definitions = map[string]string{
	"item": "Item", "finding": "Finding", "judgedFinding": "JudgedFinding", "findingCode": "FindingCode",
	"severity": "Severity", "sectionKind": "SectionKind", "reason": "Reason", "advisory": "Advisory",
	"advisoryDatabase": "AdvisoryDatabase", "text": "Text", "fileName": "Text", "range": "Range",
	"itemPath": "string", "digest": "string", "policySeverity": "string",
}

// comments describe the types.
var comments = map[string]string{
	"Document":         "is the metadata of an input.",
	"SectionList":      "is the sections of an input.",
	"Verdict":          "is the judgment of a policy on an input.",
	"EditReport":       "describes an edit.",
	"Item":             "is a module or a component: the input itself, the root, or one that is nested in it.",
	"Finding":          "is an anomaly.",
	"JudgedFinding":    "is an anomaly, judged by a policy.",
	"Package":          "is a package that an item contains.",
	"Dependency":       "is a package in a declared list.",
	"Extern":           "is an import or an export.",
	"WITPackage":       "is the WIT package that a component is.",
	"GoBuild":          "is the build information of a Go program.",
	"Reason":           "says why not all of an input was read.",
	"Section":          "is a section of an item.",
	"Exception":        "is an exception of a policy.",
	"Advisory":         "is a known defect of a package.",
	"AdvisoryDatabase": "is a database of advisories.",
	"Change":           "is the change of a section.",
	"Difference":       "is a difference of an edit's result.",
	"FindingCode":      "is the code of a finding.",
	"Outcome":          "says whether all of an input was read.",
	"SectionKind":      "is the kind of a section.",
	"Severity":         "is the severity of a finding.",
}

// field is a field of a struct.
type field struct {
	key, goType, comment string
	optional             bool
}

type generator struct {
	common  *schema
	structs map[string][]field
	enums   map[string][]string
	fields  map[string]string // annotations and their descriptions
	order   []string
}

func main() {
	if len(os.Args) != 3 {
		fail(fmt.Errorf("expected the directory of the schemas, and the file to write"))
	}
	code, err := generate(os.Args[1])
	if err == nil {
		err = os.WriteFile(os.Args[2], code, 0o644)
	}
	fail(err)
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "schematypes:", err)
		os.Exit(1)
	}
}

func generate(directory string) ([]byte, error) {
	common, err := parse(directory, "common")
	if err != nil {
		return nil, err
	}
	generator := &generator{
		common: common, structs: map[string][]field{}, enums: map[string][]string{}, fields: map[string]string{},
	}
	for _, document := range documents {
		schema, err := parse(directory, document[0])
		if err != nil {
			return nil, err
		}
		generator.object(document[1], schema)
	}
	return generator.write()
}

func parse(directory, name string) (*schema, error) {
	text, err := os.ReadFile(filepath.Join(directory, name+".schema.json"))
	if err != nil {
		return nil, err
	}
	schema := new(schema)
	return schema, json.Unmarshal(text, schema)
}

// object adds the fields of an object to a struct. Several objects share a struct if they share its name.
func (generator *generator) object(name string, schema *schema) {
	if _, known := generator.structs[name]; !known {
		generator.order = append(generator.order, name)
		generator.structs[name] = nil
	}
	for _, key := range sortedKeys(schema.Properties) {
		if slices.ContainsFunc(generator.structs[name], func(field field) bool { return field.key == key }) {
			continue
		}
		property := schema.Properties[key]
		// The place is taken before the type is known: items contain items.
		at := len(generator.structs[name])
		generator.structs[name] = append(generator.structs[name], field{key: key})
		optional := !slices.Contains(schema.Required, key)
		goType := generator.typeOf(key, property)
		if goType == "Item" || optional && slices.Contains([]string{"Text", "Reason", "Exception", "WITPackage", "AdvisoryDatabase"}, goType) {
			goType = "*" + goType
		}
		generator.structs[name][at] = field{key, goType, property.Description, optional}
	}
}

// typeOf returns the Go type for the value of a key.
func (generator *generator) typeOf(key string, schema *schema) string {
	switch {
	case schema.Ref != "":
		return generator.reference(schema.Ref)
	case len(schema.AnyOf) > 0:
		return generator.anyOf(key, schema.AnyOf)
	case len(schema.Enum) > 0:
		return generator.enum(key, schema.Enum)
	case len(schema.Prefix) > 0:
		return generator.tuple(schema.Prefix)
	case schema.Const == true:
		return "bool"
	case schema.Const != nil:
		return "int"
	case schema.Properties != nil && generator.isTable(schema):
		return "map[Field]Text"
	case schema.Properties != nil:
		name := names[key]
		if name == "" {
			name = camel(key)
		}
		generator.object(name, schema)
		return name
	}
	switch schema.Type {
	case "array":
		return "[]" + generator.typeOf(key, decodeSchema(schema.Items))
	case "object":
		if values := decodeSchema(schema.Additional); values != nil {
			return "map[string]" + generator.typeOf(key, values)
		}
		return "json.RawMessage"
	case "string":
		return "string"
	case "integer":
		return "int64"
	case "number":
		return "float64"
	case "boolean":
		return "bool"
	}
	return "json.RawMessage"
}

func (generator *generator) reference(reference string) string {
	_, definition, _ := strings.Cut(reference, "#/$defs/")
	target := generator.common.Definitions[definition]
	name, known := definitions[definition]
	if !known {
		return generator.typeOf(definition, target)
	}
	switch {
	case len(target.Enum) > 0 && name != "string":
		generator.constants(name, target.Enum)
	case target.Properties != nil:
		if _, known := generator.structs[name]; !known || name == "Item" {
			generator.object(name, target)
		}
	}
	return name
}

// anyOf is a type or null, or one of several types.
func (generator *generator) anyOf(key string, schemas []*schema) string {
	others := slices.DeleteFunc(slices.Clone(schemas), func(schema *schema) bool { return schema.Type == "null" })
	if len(others) != 1 || len(others[0].AnyOf) > 0 {
		return "json.RawMessage"
	}
	goType := generator.typeOf(key, others[0])
	if len(others) < len(schemas) && goType != "json.RawMessage" {
		return "*" + strings.TrimPrefix(goType, "*")
	}
	return goType
}

// enum is a text from a table that the core may extend.
func (generator *generator) enum(key string, values []any) string {
	if name := names[key]; name == "Outcome" {
		generator.constants(name, values)
		return name
	}
	return "string"
}

func (generator *generator) constants(name string, values []any) {
	var texts []string
	for _, value := range values {
		texts = append(texts, value.(string))
	}
	generator.enums[name] = texts
}

// tuple is a range, whose end may be unknown, or an array.
func (generator *generator) tuple(prefix []*schema) string {
	if prefix[0].Type == "integer" {
		if len(prefix[1].AnyOf) > 0 {
			return "Range"
		}
		return "[2]int64"
	}
	for _, element := range prefix {
		if element.Ref != "" {
			return "[2]Text"
		}
	}
	return "[2]string"
}

// isTable reports whether an object has a value for each annotation field.
func (generator *generator) isTable(schema *schema) bool {
	for _, property := range schema.Properties {
		if !strings.HasSuffix(property.Ref, "/text") {
			return false
		}
	}
	if len(schema.Required) > 0 || len(schema.Properties) < 5 {
		return false
	}
	for key, property := range schema.Properties {
		generator.fields[key] = property.Description
	}
	return true
}

func decodeSchema(raw json.RawMessage) *schema {
	schema := new(schema)
	if len(raw) == 0 || json.Unmarshal(raw, schema) != nil {
		return nil
	}
	return schema
}

func (generator *generator) write() ([]byte, error) {
	var code bytes.Buffer
	code.WriteString("// Code generated by schematypes from docs/schema; DO NOT EDIT.\n\npackage sectile\n\nimport \"encoding/json\"\n\n")
	code.WriteString("// Field is an annotation field.\ntype Field string\n\n// The annotation fields.\nconst (\n")
	for _, key := range sortedKeys(generator.fields) {
		fmt.Fprintf(&code, "\t// Field%s: %s\n\tField%s Field = %q\n", camel(key), generator.fields[key], camel(key), key)
	}
	code.WriteString(")\n\n")
	for _, name := range sortedKeys(generator.enums) {
		fmt.Fprintf(&code, "// %s %s\ntype %s string\n\n// The values of %s.\nconst (\n", name, comments[name], name, name)
		for _, value := range generator.enums[name] {
			fmt.Fprintf(&code, "\t%s%s %s = %q\n", strings.TrimPrefix(name, "Finding"), camel(value), name, value)
		}
		code.WriteString(")\n\n")
	}
	for _, name := range generator.order {
		fmt.Fprintf(&code, "// %s %s\ntype %s struct {\n", name, comments[name], name)
		isDocument := slices.ContainsFunc(documents, func(document [2]string) bool { return document[1] == name })
		if isDocument {
			code.WriteString("\tdocumentJSON\n")
		}
		fields := generator.structs[name]
		sort.Slice(fields, func(one, other int) bool { return fields[one].key < fields[other].key })
		for _, field := range fields {
			omit := ""
			if field.optional {
				omit = ",omitempty"
			}
			fmt.Fprintf(&code, "\t// %s\n\t%s %s `json:\"%s%s\"`\n", field.comment, camel(field.key), field.goType, field.key, omit)
		}
		code.WriteString("}\n\n")
	}
	return format.Source(code.Bytes())
}

// camel returns a Go name for a key.
func camel(key string) string {
	words := strings.FieldsFunc(key, func(character rune) bool { return strings.ContainsRune("_- .", character) })
	for at, word := range words {
		if upper := strings.ToUpper(word); slices.Contains([]string{"ID", "URL", "WIT", "UTF8", "HTTP", "JSON", "SPDX", "VCS", "RFC3339"}, upper) {
			words[at] = upper
		} else {
			words[at] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "")
}

func sortedKeys[V any](of map[string]V) []string {
	keys := make([]string, 0, len(of))
	for key := range of {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
