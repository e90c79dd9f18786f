package main

import (
	"slices"
	"testing"

	"github.com/polytropon/polytropon/generate"
)

// Transformers 4 counts the padding of a prompt for the repetition penalty, which transformers 5 leaves out. Recorded with torch, the latter by
// generate(), the former by its RepetitionPenaltyLogitsProcessor on the padded ids.
func TestPenalizesPadding(t *testing.T) {
	v := openTraining(t, "../../poly/testdata/peft-0.21/qwen2").verifier
	const row = 1
	settings := generate.Settings{MaxNewTokens: 12, RepetitionPenalty: 2}
	five, four := []int{8, 32, 33, 28, 20, 45, 1, 31, 32, 4, 32, 0}, []int{8, 32, 33, 28, 20, 45, 1, 31, 32, 4, 32, 32}
	got, err := v.model.Generate(t.Context(), v.requests()[row:row+1], settings)
	if err != nil || !slices.Equal(got[0].IDs, five) {
		t.Errorf("got %v, %v, want %v", got, err, five)
	}
	for _, test := range []struct {
		ids  []int
		want bool
	}{{four, true}, {five, false}} {
		if same, err := v.penalizesPadding(t.Context(), row, settings, test.ids); err != nil || same != test.want {
			t.Errorf("%v with padding that counts: got %v, %v, want %v", test.ids, same, err, test.want)
		}
	}
}
