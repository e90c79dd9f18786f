package tokenizer

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// An object is a JSON object that is read field by field. The first error stays; reading goes on with zero values.
type object struct {
	field  string // where it is in the file
	values map[string]json.RawMessage
	err    error
}

// parseObject reads an object. null is none.
func parseObject(field string, data json.RawMessage) (*object, error) {
	o := &object{field: field}
	if err := json.Unmarshal(data, &o.values); err != nil {
		return nil, fail(field, "got %s, want an object: %v", sample(data), err)
	}
	if o.values == nil {
		return nil, fail(field, "got null, want an object")
	}
	return o, nil
}

// path names a field of the object.
func (o *object) path(key string) string {
	switch {
	case o.field == "":
		return key
	case key == "":
		return o.field
	}
	return o.field + "." + key
}

func (o *object) fail(key, format string, args ...any) {
	if o.err == nil {
		o.err = fail(o.path(key), format, args...)
	}
}

// take removes a field and returns its value, or nil if it is missing or null.
func (o *object) take(key string) json.RawMessage {
	data := o.values[key]
	delete(o.values, key)
	if string(data) == "null" {
		return nil
	}
	return data
}

// need returns the value of a field that must be there.
func (o *object) need(key string) json.RawMessage {
	data := o.take(key)
	if data == nil {
		o.fail(key, "missing")
		return json.RawMessage("null")
	}
	return data
}

// read takes a field into a variable, which keeps its value if the field is missing or null.
func (o *object) read(key string, into any) {
	if data := o.take(key); data != nil {
		o.unmarshal(key, data, into)
	}
}

// readNeeded takes a field that must be there into a variable.
func (o *object) readNeeded(key string, into any) {
	if data := o.need(key); o.err == nil {
		o.unmarshal(key, data, into)
	}
}

func (o *object) unmarshal(key string, data json.RawMessage, into any) {
	if err := json.Unmarshal(data, into); err != nil {
		o.fail(key, "got %s: %v", sample(data), err)
	}
}

// readChar takes a field of one character.
func (o *object) readChar(key string) string {
	var s string
	o.readNeeded(key, &s)
	if n := len([]rune(s)); n != 1 {
		o.fail(key, "got %s, want one character", quote(s))
	}
	return s
}

// readOneOf takes a field that is one of some words and returns which.
func (o *object) readOneOf(key string, words ...string) int {
	var s string
	o.readNeeded(key, &s)
	i := slices.Index(words, s)
	if i < 0 {
		o.fail(key, "got %s, want one of %q", quote(s), words)
		return 0
	}
	return i
}

// done returns the first error, or one for a field that nobody took.
func (o *object) done() error {
	if o.err == nil && len(o.values) > 0 {
		key := slices.Min(slices.Collect(maps.Keys(o.values)))
		if len(key) > maxSample || strings.ContainsFunc(key, isUnprintable) {
			key = quote(key)
		}
		o.fail(key, "not supported")
	}
	return o.err
}

// kind takes the field type.
func (o *object) kind() string {
	var s string
	o.readNeeded("type", &s)
	return s
}

// checkText checks what a step puts in one place.
func (o *object) checkText(key, text string) {
	if len(text) > maxText {
		o.fail(key, "got %s of %d bytes, want at most %d", quote(text), len(text), maxText)
	}
}

// maxSteps is how many steps a normalizer, a pre-tokenizer or a decoder can have: each takes time for every added token and every text.
const maxSteps = 1000

// step takes the field type of a step that comes after some others.
func (o *object) step(after int) string {
	if after >= maxSteps {
		o.fail("", "got more than %d steps", maxSteps)
	}
	return o.kind()
}

// maxSample is how many bytes of a value a message has.
const maxSample = 60

// sample makes the beginning of a JSON value fit for one line of a message.
func sample(data []byte) string {
	text, more := string(data), ""
	if len(text) > maxSample {
		text, more = text[:maxSample], "…"
	}
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	return strings.Map(func(r rune) rune {
		if isUnprintable(r) {
			return utf8.RuneError
		}
		return r
	}, text) + more
}

func isUnprintable(r rune) bool { return !strconv.IsPrint(r) }
