package poly

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxJSONDepth is how deep objects and lists may nest. PEFT's own files need two levels.
const maxJSONDepth = 100

// decodeJSON reads one value into nil, bool, string, json.Number, []any and map[string]any. Unlike encoding/json it refuses duplicate
// keys and text that is not Unicode: stray bytes and escapes of half a surrogate pair.
func decodeJSON(data []byte) (any, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("got text that is not UTF-8, want JSON in UTF-8")
	}
	var whole json.RawMessage
	if err := json.Unmarshal(data, &whole); err != nil {
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			return nil, fmt.Errorf("byte %d: %w, want JSON", syntax.Offset, err)
		}
		return nil, err
	}
	if at := loneSurrogate(data); at >= 0 {
		return nil, fmt.Errorf("byte %d: got half of a surrogate pair, want a character", at)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return decodeValue(d, 0)
}

// decodeValue reads one value of a text that is known to be well-formed.
func decodeValue(d *json.Decoder, depth int) (any, error) {
	if depth > maxJSONDepth {
		return nil, fmt.Errorf("byte %d: got values nested deeper than %d, want fewer levels", d.InputOffset(), maxJSONDepth)
	}
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return decodeObject(d, depth)
	case json.Delim('['):
		list := []any{}
		for d.More() {
			item, err := decodeValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, item)
		}
		_, err := d.Token()
		return list, err
	}
	return token, nil
}

func decodeObject(d *json.Decoder, depth int) (any, error) {
	object := map[string]any{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		key := token.(string)
		if _, ok := object[key]; ok {
			return nil, &ConfigError{key, "a duplicate key", "each key once"}
		}
		if object[key], err = decodeValue(d, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return object, err
}

// loneSurrogate returns the offset of the first \uXXXX in well-formed JSON that is half of a surrogate pair, or -1.
func loneSurrogate(data []byte) int {
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		at := i
		i++ // behind the backslash, which may escape another one
		r, ok := escapedUnit(data[at:])
		if !ok || !utf16.IsSurrogate(r) {
			continue
		}
		low, _ := escapedUnit(data[at+6:])
		if utf16.DecodeRune(r, low) == utf8.RuneError {
			return at
		}
		i = at + 11
	}
	return -1
}

// escapedUnit reads a \uXXXX at the start of well-formed JSON.
func escapedUnit(data []byte) (unit rune, ok bool) {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return 0, false
	}
	code, err := strconv.ParseUint(string(data[2:6]), 16, 16)
	return rune(code), err == nil
}
