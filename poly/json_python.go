package poly

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// appendPython appends a value of decodeJSON as Python's json.dumps(v, indent=2, sort_keys=True) writes it, nested so many levels
// deep. Numbers keep the spelling that they were read with.
func appendPython(b []byte, v any, level int) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return fmt.Append(b, v), nil
	case json.Number:
		return append(b, v...), nil
	case string:
		return appendPythonString(b, v)
	case []any:
		return appendPythonItems(b, "[]", len(v), level, func(b []byte, i int) ([]byte, error) {
			return appendPython(b, v[i], level+1)
		})
	case map[string]any:
		keys := sortedKeys(v)
		return appendPythonItems(b, "{}", len(v), level, func(b []byte, i int) ([]byte, error) {
			b, err := appendPythonString(b, keys[i])
			if err != nil {
				return nil, err
			}
			return appendPython(append(b, ": "...), v[keys[i]], level+1)
		})
	}
	return nil, fmt.Errorf("got a value of type %T, want what JSON has", v)
}

// appendPythonItems appends n items between brackets, one on each line.
func appendPythonItems(b []byte, brackets string, n, level int, item func(b []byte, i int) ([]byte, error)) ([]byte, error) {
	if n == 0 {
		return append(b, brackets...), nil
	}
	line := "\n" + strings.Repeat("  ", level)
	b = append(b, brackets[0])
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, line+"  "...)
		var err error
		if b, err = item(b, i); err != nil {
			return nil, err
		}
	}
	b = append(b, line...)
	return append(b, brackets[1]), nil
}

// appendPythonString appends a string in ASCII.
func appendPythonString(b []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, fmt.Errorf("got the string %s, want UTF-8", quoteShort(s))
	}
	b = append(b, '"')
	for _, r := range s {
		switch short := strings.IndexRune("\b\t\n\f\r\"\\", r); {
		case short >= 0:
			b = append(b, '\\', `btnfr"\`[short])
		case ' ' <= r && r <= '~':
			b = append(b, byte(r))
		case r <= 0xFFFF:
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			high, low := utf16.EncodeRune(r)
			b = fmt.Appendf(b, `\u%04x\u%04x`, high, low)
		}
	}
	return append(b, '"'), nil
}

// sortedKeys sorts by code point, as Python does.
func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
