package model

import (
	"strings"
	"testing"

	"github.com/polytropon/polytropon/mat"
)

// FuzzConfig checks that no config.json makes New panic, or makes up tensors, and that a rope that one describes can be computed.
func FuzzConfig(f *testing.F) {
	for _, c := range []fields{
		small, small.with("model_type", `"umt5"`, "feed_forward_proj", `"gated-gelu"`), smallLlama,
		smallLlama.with("rope_scaling", `{"type": "yarn", "factor": 4, "mscale": 1, "mscale_all_dim": 2}`, "max_position_embeddings", "9"),
		smallLlama.with("rope_parameters", `{"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4}`, "max_position_embeddings", "9"),
		smallLlama.with("model_type", `"qwen3"`, "use_sliding_window", "true", "layer_types", `["full_attention", "sliding_attention"]`),
		smallLlama.with("model_type", `"mistral"`, "sliding_window", "null", "pad_token_id", "-1"),
	} {
		f.Add(c.text())
	}
	e, err := mat.NewEngine(mat.Options{Threads: 1})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(e.Close)
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := New(data, tensors{}, e); err == nil || !strings.HasPrefix(err.Error(), "model: ") {
			t.Errorf("got %v", err)
		}
		c, err := readConfig(data)
		if l, ok := c.(llamaConfig); ok && err == nil && l.HeadSize < 1<<10 {
			newRope(l.Rope, l.HeadSize)
		}
	})
}
