package tokenizer

import (
	"slices"
	"testing"
)

// A text that spells the unknown token is that token and not its bytes. Recorded with tokenizers 0.23.3.
func TestUnknownPieceAndBytes(t *testing.T) {
	tok := parse(t, tiny(t, map[string]string{"model": `{"type": "Unigram", "unk_id": 0, "byte_fallback": true, "vocab": [["<unk>", 0], ["a", -1],
		["<0x3C>", -9], ["<0x75>", -9], ["<0x6E>", -9], ["<0x6B>", -9], ["<0x3E>", -9], ["<0xC3>", -9], ["<0xA9>", -9]]}`}))
	for _, test := range []struct {
		text string
		want []int
	}{
		{"a<unk>", []int{1, 0}},
		{"<unk>é", []int{2, 3, 4, 5, 6, 7, 8}}, // unknown together, which is no piece
		{"é<unk>a", []int{7, 8, 2, 3, 4, 5, 6, 1}},
		{"u", []int{3}},
	} {
		if got := tok.Encode(test.text, false); !slices.Equal(got, test.want) {
			t.Errorf("%q: got %v, want %v", test.text, got, test.want)
		}
	}
}
