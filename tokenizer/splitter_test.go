package tokenizer

import (
	"slices"
	"testing"
)

// Recorded with tokenizers 0.23.3, which refuses the last one; older versions, which knew no prepend_scheme, read it so.
func TestMetaspace(t *testing.T) {
	type result struct {
		between, first []int  // of "a a" and of "a<x>a"
		text           string // of two tokens ▁a
	}
	always, never := result{[]int{3, 3}, []int{3, 4, 3}, "a a"}, result{[]int{1, 3}, []int{1, 4, 1}, " a a"}
	for _, test := range []struct {
		fields string
		want   result
	}{
		{``, always},
		{`, "add_prefix_space": true`, always},
		{`, "str_rep": "▁", "add_prefix_space": true`, always},
		{`, "prepend_scheme": "always", "split": false`, always},
		{`, "prepend_scheme": "first", "add_prefix_space": true`, result{always.between, []int{3, 4, 1}, always.text}},
		{`, "prepend_scheme": "never", "add_prefix_space": true`, never},
		{`, "prepend_scheme": "never", "add_prefix_space": false`, never},
		{`, "add_prefix_space": false`, never},
	} {
		step := `{"type": "Metaspace", "replacement": "▁"` + test.fields + `}`
		tok := parse(t, tiny(t, map[string]string{
			"pre_tokenizer": step,
			"decoder":       step,
			"model":         `{"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0], ["a", -1], ["▁", -1], ["▁a", -1]]}`,
			"added_tokens":  `[{"id": 4, "content": "<x>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": false}]`,
		}))
		between, first, text := tok.Encode("a a", false), tok.Encode("a<x>a", false), tok.Decode([]int{3, 3}, false)
		if !slices.Equal(between, test.want.between) || !slices.Equal(first, test.want.first) || text != test.want.text {
			t.Errorf("%s: got %v, %v and %q, want %+v", step, between, first, text, test.want)
		}
	}
}

// Recorded with tokenizers 0.23.3: a Metaspace of the scheme "first" marks, after another step, the piece that the input begins with, if there is one.
func TestSplittersKeepTheFirst(t *testing.T) {
	texts := []string{"a a", " a", "ba", "1a", "ab a"}
	for _, test := range []struct {
		step string
		want [5][]int
	}{
		{`{"type": "WhitespaceSplit"}`, [5][]int{{3, 1}, {1}, {2, 4, 1}, {2, 5, 1}, {3, 4, 1}}},
		{`{"type": "Whitespace"}`, [5][]int{{3, 1}, {1}, {2, 4, 1}, {2, 5, 1}, {3, 4, 1}}},
		{`{"type": "BertPreTokenizer"}`, [5][]int{{3, 1}, {1}, {2, 4, 1}, {2, 5, 1}, {3, 4, 1}}},
		{`{"type": "Digits", "individual_digits": true}`, [5][]int{{3, 3}, {3}, {2, 4, 1}, {2, 5, 1}, {3, 4, 3}}},
		{`{"type": "CharDelimiterSplit", "delimiter": "b"}`, [5][]int{{3, 3}, {3}, {1}, {2, 5, 1}, {3, 3}}},
		{`{"type": "Split", "pattern": {"String": "b"}, "behavior": "MergedWithNext", "invert": false}`, [5][]int{{3, 3}, {3}, {2, 4, 1}, {2, 5, 1}, {3, 4, 3}}},
		{`{"type": "Split", "pattern": {"String": "b"}, "behavior": "Removed", "invert": false}`, [5][]int{{3, 3}, {3}, {1}, {2, 5, 1}, {3, 3}}},
		{`{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first"}`, [5][]int{{3, 3}, {3}, {2, 4, 1}, {2, 5, 1}, {3, 4, 3}}},
	} {
		tok := parse(t, tiny(t, map[string]string{
			"pre_tokenizer": `{"type": "Sequence", "pretokenizers": [` + test.step + `, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first"}]}`,
			"model":         `{"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0], ["a", -1], ["▁", -1], ["▁a", -1], ["b", -1], ["1", -1]]}`,
		}))
		for i, text := range texts {
			if got := tok.Encode(text, false); !slices.Equal(got, test.want[i]) {
				t.Errorf("%s: %q: got %v, want %v", test.step, text, got, test.want[i])
			}
		}
	}
}
