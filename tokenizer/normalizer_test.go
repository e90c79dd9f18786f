package tokenizer

import (
	"slices"
	"testing"
)

// Recorded with tokenizers 0.23.3: a Metaspace with prepend_scheme "first" marks a text only where its first character is still that of the input.
func TestNormalizersKeepTheFirst(t *testing.T) {
	for _, test := range []struct {
		normalizer string
		want       map[string][]int
	}{
		{`null`, map[string][]int{"a": {3}, " a": {3}, "ba": {5, 1}}},
		{`{"type": "Strip", "strip_left": true, "strip_right": true}`, map[string][]int{"a": {3}, " a": {1}, "  b": {4}, "\ta": {1}, "ab ": {3, 4}}},
		{`{"type": "Strip", "strip_left": false, "strip_right": true}`, map[string][]int{" a": {3}, "\ta": {2, 0, 1}, "a ": {3}}},
		{`{"type": "StripAccents"}`, map[string][]int{"a": {3}, "\u0301a": {1}, "\ta": {2, 0, 1}}},
		{`{"type": "Nmt"}`, map[string][]int{"\u0001a": {1}, "\ta": {3}, "\u0301a": {2, 0, 1}}},
		{`{"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": false, "strip_accents": true, "lowercase": false}`,
			map[string][]int{"a": {3}, "\u0301a": {1}, "\u0001a": {1}, "\ta": {3}}},
		{`{"type": "Replace", "pattern": {"String": "b"}, "content": ""}`, map[string][]int{"ba": {1}, "ab": {3}}},
		{`{"type": "Replace", "pattern": {"String": "b"}, "content": "a"}`, map[string][]int{"ba": {3, 1}, "ab": {3, 1}}},
		{`{"type": "Replace", "pattern": {"String": "ba"}, "content": "a"}`, map[string][]int{"ba": {1}, "ab": {3, 4}}},
		{`{"type": "Prepend", "prepend": "b"}`, map[string][]int{"a": {5, 1}, " a": {5, 3}}},
		{`{"type": "NFC"}`, map[string][]int{"a": {3}, " a": {3}}},
	} {
		tok := parse(t, tiny(t, map[string]string{
			"normalizer":    test.normalizer,
			"pre_tokenizer": `{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": true}`,
			"model":         `{"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0], ["a", -1], ["▁", -1], ["▁a", -1], ["b", -1], ["▁b", -1]]}`,
		}))
		for text, want := range test.want {
			if got := tok.Encode(text, false); !slices.Equal(got, want) {
				t.Errorf("%s: %q: got %v, want %v", test.normalizer, text, got, want)
			}
		}
	}
}
