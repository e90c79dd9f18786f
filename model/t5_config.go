package model

import (
	"fmt"
	"math"

	"github.com/polytropon/polytropon/autodiff"
)

// t5Config is what config.json says of a model of the T5 family.
type t5Config struct {
	Type                         string // t5, mt5 or umt5
	Vocabulary                   int
	Dim, HeadSize, Heads, Inner  int // d_model, d_kv, num_heads, d_ff
	EncoderLayers, DecoderLayers int
	Buckets, MaxDistance         int
	Epsilon                      float32
	FeedForward                  string // feed_forward_proj
	Activation                   *autodiff.Function
	Gated                        bool
	ScaleOutputs                 bool // the decoder's output is multiplied by Dim^-½ before the head
}

// t5Types are the values of model_type that readT5Config knows.
var t5Types = []string{"t5", "mt5", "umt5"}

// maxBuckets bounds the work of finding where the buckets begin. Models have 32.
const maxBuckets = 1024

// readT5Config reads the fields of a T5Config, MT5Config or UMT5Config as transformers 4 and 5 write them; c keeps the error.
func readT5Config(c *configFile, modelType string) t5Config {
	cfg := t5Config{
		Type:          modelType,
		Vocabulary:    c.size("vocab_size"),
		Dim:           c.size("d_model"),
		HeadSize:      c.size("d_kv"),
		Heads:         c.size("num_heads"),
		Inner:         c.size("d_ff"),
		EncoderLayers: c.size("num_layers"),
		Buckets:       c.sizeOr("relative_attention_num_buckets", 32),
		MaxDistance:   c.sizeOr("relative_attention_max_distance", 128),
		Epsilon:       c.floatOr("layer_norm_epsilon", 1e-6),
	}
	c.checkWidth("num_heads", cfg.Heads, cfg.HeadSize)
	cfg.DecoderLayers = c.sizeOr("num_decoder_layers", cfg.EncoderLayers)
	if cfg.Buckets < 4 || cfg.Buckets > maxBuckets || cfg.Buckets%2 != 0 {
		c.fail("relative_attention_num_buckets", fmt.Sprintf("an even number from 4 to %d", maxBuckets))
	}
	if cfg.MaxDistance <= cfg.Buckets/2 {
		c.fail("relative_attention_max_distance", "more than half of relative_attention_num_buckets")
	}
	feedForward := "gated-gelu"
	if modelType == "t5" {
		feedForward = "relu"
	}
	cfg.FeedForward = c.textOr("feed_forward_proj", feedForward)
	cfg.Activation, cfg.Gated = readFeedForward(c, cfg.FeedForward)
	switch tied := c.boolOr("tie_word_embeddings", true); modelType {
	case "t5", "umt5":
		cfg.ScaleOutputs = c.boolOr("scale_decoder_outputs", tied)
	case "mt5": // only transformers 4 scaled a tied mt5, and no released mt5 is tied
	}
	return cfg
}

// outputScale returns Dim^-½.
func (c *t5Config) outputScale() float32 { return float32(1 / math.Sqrt(float64(c.Dim))) }
