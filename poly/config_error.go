package poly

import (
	"encoding/json"
	"fmt"
)

// ConfigError says which field of a [Config] is wrong, what it holds and what was expected.
type ConfigError struct {
	Field string // PEFT's name: "target_modules"
	Got   string
	Want  string
}

// Error returns one line.
func (e *ConfigError) Error() string {
	return fmt.Sprintf("poly: config: %s: got %s, want %s", e.Field, e.Got, e.Want)
}

// describe renders a value from a file for one line of a message.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return quoteShort(v)
	case json.Number:
		return shorten(v.String())
	case []any:
		for i, item := range v {
			if _, ok := item.(string); !ok {
				return fmt.Sprintf("a list whose item %d is %s", i, describe(item))
			}
		}
		return "a list"
	case map[string]any:
		return "an object"
	}
	return fmt.Sprint(v)
}

// quoteShort quotes the beginning of a text from a file.
func quoteShort(s string) string { return fmt.Sprintf("%q", shorten(s)) }

func shorten(s string) string {
	const limit = 200
	if len(s) > limit {
		return s[:limit] + "…"
	}
	return s
}
