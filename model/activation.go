package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/polytropon/polytropon/autodiff"
)

// activations are those of transformers' ACT2FN that a feed-forward layer may name.
var activations = map[string]*autodiff.Function{
	"relu":              autodiff.ReLU,
	"gelu":              autodiff.GELU,
	"gelu_new":          autodiff.GELUTanh,
	"gelu_pytorch_tanh": autodiff.GELUTanh,
	"silu":              autodiff.SiLU,
	"swish":             autodiff.SiLU,
	"tanh":              autodiff.Tanh,
	"sigmoid":           autodiff.Sigmoid,
}

// readFeedForward reads the value of feed_forward_proj: "relu", or "gated-gelu", which means gelu_new (configuration_t5.py).
func readFeedForward(c *configFile, projection string) (act *autodiff.Function, gated bool) {
	name, gated := strings.CutPrefix(projection, "gated-")
	if gated && name == "gelu" {
		name = "gelu_new"
	}
	act, ok := activations[name]
	if !ok {
		var names []string
		for n := range activations {
			names = append(names, n)
		}
		slices.Sort(names)
		c.fail("feed_forward_proj", fmt.Sprintf("one of %q, with or without \"gated-\"", names))
	}
	return act, gated
}
