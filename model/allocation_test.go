//go:build !race

package model

import "testing"

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
