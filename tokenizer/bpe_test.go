package tokenizer

import (
	"slices"
	"testing"
)

// A word is what merges make of it, also where the vocabulary has the word or where a merge reaches into a mark. Recorded with tokenizers 0.23.3.
func TestMergesMakeTheTokens(t *testing.T) {
	for _, test := range []struct {
		fields, text string
		byteLevel    bool
		want         []int
	}{
		{`"vocab": {"a": 0, "b": 1, "ab": 2}, "merges": []`, "ab", false, []int{0, 1}},
		{`"vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [], "ignore_merges": true`, "ab", false, []int{2}},
		{`"vocab": {"x": 0, "▁": 1, "x▁": 2, "y": 3}, "merges": [["x", "▁"]]`, "yx▁y", false, []int{3, 2, 3}},
		{`"vocab": {"x": 0, "y": 1, "â": 2, "ĸ": 3, "ģ": 4, "âĸ": 5, "âĸģ": 6, "xâĸģ": 7}, "merges": [["â", "ĸ"], ["âĸ", "ģ"], ["x", "âĸģ"]]`, "yx▁y", true, []int{1, 7, 1}},
	} {
		fields := map[string]string{"model": `{"type": "BPE", ` + test.fields + `}`}
		if test.byteLevel {
			fields["pre_tokenizer"] = `{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}`
		}
		if got := parse(t, tiny(t, fields)).Encode(test.text, false); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q: got %v, want %v", test.fields, test.text, got, test.want)
		}
	}
}
