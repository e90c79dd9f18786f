package tokenizer

import (
	"encoding/binary"
	"slices"
	"testing"
)

const ruleOfA = 'a' | 1<<8 | ('a'^1)<<10 // the unit of the key "a", whose value unit 1 has

// rulesOf are normalisation rules of so many units, but for those given all zero, and a text.
func rulesOf(units map[int]uint32, text string) string {
	const n int = 'a' + 1
	data := binary.LittleEndian.AppendUint32(nil, uint32(4*n))
	for i := range n {
		data = binary.LittleEndian.AppendUint32(data, units[i])
	}
	return field(3, field(2, string(data)+text))
}

// Rules whose offsets lead out of them have no effect.
func TestRulesThatPointOutside(t *testing.T) {
	for name, units := range map[string]map[int]uint32{
		"the first unit": {0: 1<<31 - 1},
		"a key":          {'a': 'a' | 1<<8 | 1<<30},
		"a value":        {'a': ruleOfA, 1: 999},
	} {
		tok := parse(t, []byte(spPieceOf("<unk>", spUnknown)+spPieceOf("a", spNormal)+rulesOf(units, "")))
		if got := tok.Encode("a", false); !slices.Equal(got, []int{0, 1}) {
			t.Errorf("%s: got %v, want 0 1", name, got)
		}
	}
}

// A user-defined symbol stays as it is, whatever the rules make of its characters.
func TestRulesLeaveSymbols(t *testing.T) {
	rules := rulesOf(map[int]uint32{'a': ruleOfA}, "b\x00")
	for kind, want := range map[spKind][]int{spNormal: {3, 2, 2}, spUser: {3, 0, 2}} {
		tok := parse(t, []byte(spPieceOf("a", kind)+spPieceOf("<unk>", spUnknown)+spPieceOf("b", spNormal)+spPieceOf("▁", spNormal)+rules))
		if got := tok.Encode("ab", false); !slices.Equal(got, want) {
			t.Errorf("a piece of kind %d: got %v, want %v", kind, got, want)
		}
	}
}

// The mark before a text, or behind it, is none of a text that is nothing but spaces. Recorded with sentencepiece 0.2.3.
func TestSpacesAtTheEnds(t *testing.T) {
	pieces := spPieceOf("<unk>", spUnknown) + spPieceOf("a", spNormal)
	for _, test := range []struct {
		model string
		want  map[string][]int
	}{
		{pieces + spPieceOf("▁", spNormal), map[string][]int{"a": {2, 1}, " a  a ": {2, 1, 2, 1}, "  ": nil, "": nil}},
		{pieces + spPieceOf(" ", spNormal) + field(3, "\x28\x00"), map[string][]int{"a": {2, 1}, " a  a ": {2, 1, 2, 1}, "  ": nil, "": nil}}, // without marks
		{pieces + spPieceOf("▁", spNormal) + field(2, "\xc0\x01\x01"), map[string][]int{"a": {1, 2}, " a  a ": {1, 2, 1, 2}, "  ": nil, "": nil}},
	} {
		tok := parse(t, []byte(test.model))
		for text, want := range test.want {
			if got := tok.Encode(text, false); !slices.Equal(got, want) {
				t.Errorf("%q: got %v, want %v", text, got, want)
			}
		}
	}
}
