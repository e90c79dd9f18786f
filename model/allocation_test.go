//go:build !race

package model

import (
	"testing"

	"github.com/polytropon/polytropon/generate"
)

// TestLogitsAllocateNothingPerLayer checks that a repeated call allocates its result and the layout of its batch, not more with more layers. (The
// race detector makes memory be forgotten that is otherwise used again.)
func TestLogitsAllocateNothingPerLayer(t *testing.T) {
	m := small.with("model_type", `"umt5"`, "num_layers", "15").open(t, engine(t))
	if n := testing.AllocsPerRun(20, func() { logits(t, m, batch...) }); n > 8 {
		t.Errorf("%v allocations in a call of 30 layers", n)
	}
}

// TestLlamaAllocatesNothingPerLayer is the same for the Llama family.
func TestLlamaAllocatesNothingPerLayer(t *testing.T) {
	m := smallLlama.with("model_type", `"qwen3"`, "num_hidden_layers", "30", "attention_bias", "true").openLlama(t, engine(t))
	if n := testing.AllocsPerRun(20, func() { logits(t, m, llamaBatch...) }); n > 8 {
		t.Errorf("%v allocations in a call of 30 layers", n)
	}
}

// What comes with every token is not allocated anew.
func TestTokensAllocateLittle(t *testing.T) {
	for name, m := range decodables(t) {
		count := func(n int, s generate.Settings) float64 {
			s.MaxNewTokens, s.StopIDs = n, []int{}
			return testing.AllocsPerRun(5, func() {
				if _, err := m.Generate(t.Context(), []Request{{InputIDs: []int{1, 2}}, {InputIDs: []int{3}}}, s); err != nil {
					t.Fatal(err)
				}
			})
		}
		for strategy, s := range map[string]generate.Settings{
			"greedy": {}, "sampling": {Sampling: &generate.Sampling{Temperature: 1, TopP: 0.9}}, "beams": {Beams: &generate.Beams{N: 3, LengthPenalty: 1}},
		} {
			if few, many := count(160, s), count(230, s); many > few+5 { // caches do not grow between these, but a step's memory may, for a longer draft
				t.Errorf("%s, %s: %g allocations for 160 tokens, %g for 230", name, strategy, few, many)
			}
		}
	}
}

// Nor are caches copied after a long prompt: there is room for some tokens.
func TestTokensAfterALongPrompt(t *testing.T) {
	m := smallLlama.with("num_hidden_layers", "30").openLlama(t, engine(t))
	count := func(n int) float64 {
		return testing.AllocsPerRun(1, func() {
			if _, err := m.Generate(t.Context(), []Request{{InputIDs: cycle(100, 7)}}, generate.Settings{MaxNewTokens: n, StopIDs: []int{}, NoDrafts: true}); err != nil {
				t.Fatal(err)
			}
		})
	}
	if few, many := count(2), count(80); many > few+30 { // each layer would have two
		t.Errorf("%g allocations for 2 tokens, %g for 80", few, many)
	}
}

// Nor does a step of a batch, until caches grow.
func TestBatchStepAllocations(t *testing.T) {
	for name, m := range decodables(t) {
		b := m.NewBatch()
		for i := range 3 {
			if _, err := b.Add(Request{InputIDs: cycle(5+i, 7)}, generate.Settings{MaxNewTokens: 1 << 20, StopIDs: []int{}}); err != nil {
				t.Fatal(err)
			}
		}
		step := func() {
			for _, err := range b.Step(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		for range 70 { // beyond the next length at which caches grow
			step()
		}
		if n := testing.AllocsPerRun(20, step); n > 0 {
			t.Errorf("%s: got %v allocations a step, want none", name, n)
		}
	}
}
