//go:build !race

package generate

import (
	"testing"

	"github.com/polytropon/polytropon/mat"
)

// Another hundred tokens cost no further allocation. (The race detector makes memory be forgotten that is otherwise used again.)
func TestAllocations(t *testing.T) {
	e := engine(t)
	source := &constant{mat.New(1, 500), mat.New(4, 500)}
	for i := range source.logits.Data {
		source.logits.Data[i] = float32(i*7%101) / 50
	}
	for name, s := range map[string]Settings{
		"greedy": {RepetitionPenalty: 1.2}, "beams": {Beams: &Beams{N: 4}}, "sampling": {Sampling: &Sampling{Temperature: 0.9}},
		"top p": {Sampling: &Sampling{Temperature: 1, TopP: 0.9}}, "top k": {Sampling: &Sampling{Temperature: 0.9, TopK: 50, MinP: 0.1}},
	} {
		count := func(n int) float64 {
			s.MaxNewTokens = n
			return testing.AllocsPerRun(5, func() {
				for _, err := range Stream(t.Context(), e, source, []Request{{Settings: s}}) {
					if err != nil {
						t.Fatal(err)
					}
				}
			})
		}
		if few, many := count(150), count(250); many > few+8 { // lists that grow
			t.Errorf("%s: %g allocations for 150 tokens, %g for 250", name, few, many)
		}
	}
}
