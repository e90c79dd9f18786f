package model

// Architecture describes a model: what its config.json and its file say.
type Architecture struct {
	Type                         string // model_type
	Vocabulary                   int    // vocab_size
	Dim, Inner, Heads, HeadSize  int    // d_model, d_ff, num_heads, d_kv
	EncoderLayers, DecoderLayers int
	FeedForward                  string // feed_forward_proj
	Buckets, MaxDistance         int    // of the relative attention bias
	TiedHead                     bool   // the head's weight is the embedding's
	ScaledOutputs                bool   // the decoder's output is multiplied by Dim^-½ before the head
	Parameters                   int64  // a tied head counts once
}

// Architecture returns what the model is.
func (m *Model) Architecture() Architecture {
	t := m.t5
	a := Architecture{
		Type: t.Type, Vocabulary: t.Vocabulary, Dim: t.Dim, Inner: t.Inner, Heads: t.Heads, HeadSize: t.HeadSize,
		EncoderLayers: t.EncoderLayers, DecoderLayers: t.DecoderLayers, FeedForward: t.FeedForward,
		Buckets: t.Buckets, MaxDistance: t.MaxDistance, TiedHead: t.tied, ScaledOutputs: t.ScaleOutputs,
	}
	for _, module := range t.modules() {
		switch {
		case module.Layer == nil, module.Output && t.tied, module.Layer == t.encoder.tokens, module.Layer == t.decoder.tokens:
			continue // no parameters, or those of shared once more
		}
		for _, p := range module.Layer.Params() {
			n := int64(1)
			for _, d := range p.Shape {
				n *= int64(d)
			}
			a.Parameters += n
		}
	}
	return a
}
