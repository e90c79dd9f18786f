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
	field, also := "feed_forward_proj", `, with or without "gated-"`
	if c.has("dense_act_fn") { // as a rule the same; where not, transformers takes this
		field, also = "dense_act_fn", ""
		name = c.textOr(field, "")
	}
	act, ok := activations[name]
	if !ok {
		var names []string
		for n := range activations {
			names = append(names, n)
		}
		slices.Sort(names)
		c.fail(field, fmt.Sprintf("one of %q%s", names, also))
	}
	return act, gated
}
