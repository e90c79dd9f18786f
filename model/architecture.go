package model

import (
	"slices"

	"github.com/polytropon/polytropon/nn"
)

// Architecture describes a model: what its config.json and its file say.
type Architecture struct {
	Type                         string // model_type
	Vocabulary                   int    // vocab_size
	Dim, Inner                   int    // d_model and d_ff, or hidden_size and intermediate_size
	Heads, KVHeads, HeadSize     int    // of the attention; as many query heads share a key and value head as KVHeads goes into Heads
	EncoderLayers, DecoderLayers int    // a decoder-only model has no EncoderLayers
	FeedForward                  string // T5's feed_forward_proj; "gated-silu" of the Llama family
	Buckets, MaxDistance         int    // of T5's relative attention bias
	Rope                         string // the type of the Llama family's rotary position embeddings
	MaxPositions                 int    // max_position_embeddings, the longest text that the Llama family's model was made for, which bounds nothing here; else 0
	Window, WindowLayers         int    // the sliding window, and how many layers have it; 0 where there is none
	TiedHead                     bool   // the head's weight is the embedding's
	ScaledOutputs                bool   // the decoder's output is multiplied by Dim^-½ before the head
	Parameters                   int64  // a tied head counts once
}

// countParameters counts what the modules hold, but for those whose parameters are those of another once more.
func countParameters(modules []nn.Module, copied ...nn.Layer) int64 {
	var total int64
	for _, m := range modules {
		if m.Layer == nil || slices.Contains(copied, m.Layer) {
			continue
		}
		for _, p := range m.Layer.Params() {
			n := int64(1)
			for _, d := range p.Shape {
				n *= int64(d)
			}
			total += n
		}
	}
	return total
}
