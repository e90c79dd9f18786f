package model

import (
	"encoding/json"
	"fmt"
)

// llamaConfig is what config.json says of a model of the Llama family.
type llamaConfig struct {
	Type                     string // llama, mistral, qwen2 or qwen3
	Vocabulary               int
	Dim, Inner, Layers       int // hidden_size, intermediate_size, num_hidden_layers
	Heads, KVHeads, HeadSize int // KVHeads divides Heads
	Epsilon                  float32
	InputBias, OutputBias    bool  // of q_proj, k_proj and v_proj; of o_proj
	FeedBias                 bool  // of gate_proj, up_proj and down_proj
	HeadNorms                bool  // queries and keys are normalised head by head
	Windows                  []int // how many keys a token of each layer sees, itself included; 0: all
	Padding                  int   // pad_token_id, whose embedding is never trained; -1: none
	Tied                     bool  // the head's weight is the embedding's
	MaxPositions             int   // max_position_embeddings; 0 where it is not said
	Rope                     ropeConfig
}

// llamaTypes are the values of model_type that readLlamaConfig knows.
var llamaTypes = []string{"llama", "mistral", "qwen2", "qwen3"}

// maxLayers bounds what a config makes a model allocate before its tensors are looked at.
const maxLayers = 1 << 16

// readLlamaConfig reads the fields of a LlamaConfig, MistralConfig, Qwen2Config or Qwen3Config as transformers 4 and 5 write them; c keeps the error.
func readLlamaConfig(c *configFile, modelType string) llamaConfig {
	cfg := llamaConfig{
		Type:       modelType,
		Vocabulary: c.size("vocab_size"),
		Dim:        c.size("hidden_size"),
		Inner:      c.size("intermediate_size"),
		Layers:     c.size("num_hidden_layers"),
		Heads:      c.size("num_attention_heads"),
		Epsilon:    c.floatOr("rms_norm_eps", 1e-6),
		Tied:       c.boolOr("tie_word_embeddings", false),
	}
	c.oneOf("hidden_act", "silu", "silu")
	if cfg.Layers > maxLayers {
		c.fail("num_hidden_layers", fmt.Sprintf("at most %d", maxLayers))
		return cfg
	}
	cfg.KVHeads = c.sizeOr("num_key_value_heads", cfg.Heads)
	if cfg.Heads%cfg.KVHeads != 0 {
		c.fail("num_key_value_heads", fmt.Sprintf("a divisor of num_attention_heads, %d", cfg.Heads))
	}
	if !c.has("head_dim") && cfg.Dim%cfg.Heads != 0 {
		c.fail("head_dim", fmt.Sprintf("a head size, as hidden_size %d is no multiple of num_attention_heads %d", cfg.Dim, cfg.Heads))
	}
	cfg.HeadSize = c.sizeOr("head_dim", max(1, cfg.Dim/cfg.Heads))
	if cfg.HeadSize%2 != 0 {
		c.fail("head_dim", fmt.Sprintf("an even head size, which is %d", cfg.HeadSize))
	}
	c.checkWidth("num_attention_heads", cfg.Heads, cfg.HeadSize)
	switch biased := c.boolOr("attention_bias", false); modelType {
	case "qwen2":
		cfg.InputBias = true
	default:
		cfg.InputBias, cfg.OutputBias = biased, biased
	}
	cfg.FeedBias = modelType == "llama" && c.boolOr("mlp_bias", false)
	cfg.HeadNorms = modelType == "qwen3"
	cfg.Windows = readWindows(c, &cfg)
	cfg.Padding = readPadding(c, cfg.Vocabulary)
	cfg.Rope = readRope(c)
	if c.has("max_position_embeddings") {
		cfg.MaxPositions = c.size("max_position_embeddings")
	}
	return cfg
}

// readWindows returns the sliding window of every layer. Mistral's is that of the layers that layer_types names, else of all; qwen's counts where
// use_sliding_window is true, in the layers that layer_types names, else in those from max_window_layers on. Where a field is absent it has
// transformers' default; a sliding_window that is null is none. (A mistral with layer_types is what transformers opens as a ministral.)
func readWindows(c *configFile, cfg *llamaConfig) []int {
	windows := make([]int, cfg.Layers)
	slides := func(int) bool { return true }
	switch cfg.Type {
	case "llama":
		return windows
	case "qwen2", "qwen3":
		if !c.boolOr("use_sliding_window", false) {
			return windows
		}
		first := c.countOr("max_window_layers", 28)
		slides = func(layer int) bool { return layer >= first }
	}
	if types := readLayerTypes(c, cfg.Layers); types != nil {
		slides = func(layer int) bool { return types[layer] }
	}
	if _, there := c.fields["sliding_window"]; there && !c.has("sliding_window") {
		return windows
	}
	window := c.sizeOr("sliding_window", 4096)
	for i := range windows {
		if slides(i) {
			windows[i] = window
		}
	}
	return windows
}

// readLayerTypes tells which layers layer_types names sliding, nil where there is no such field.
func readLayerTypes(c *configFile, layers int) []bool {
	const name, full, sliding = "layer_types", "full_attention", "sliding_attention"
	if !c.has(name) {
		return nil
	}
	want := fmt.Sprintf("a list of %d times %q or %q", layers, full, sliding)
	var types []string
	if json.Unmarshal(c.fields[name], &types) != nil || len(types) != layers {
		c.fail(name, want)
		return nil
	}
	slides := make([]bool, layers)
	for i, t := range types {
		if t != full && t != sliding {
			c.fail(name, want)
		}
		slides[i] = t == sliding
	}
	return slides
}

// readPadding reads pad_token_id. Old files have -1, which torch takes for the last token.
func readPadding(c *configFile, vocabulary int) int {
	const name = "pad_token_id"
	if !c.has(name) {
		return -1
	}
	var id int
	if json.Unmarshal(c.fields[name], &id) != nil || id < -vocabulary || id >= vocabulary {
		c.fail(name, fmt.Sprintf("null or a token id below vocab_size, %d", vocabulary))
		return -1
	}
	if id < 0 {
		id += vocabulary
	}
	return id
}
