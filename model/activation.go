package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/polytropon/polytropon/mat"
)

// activation sets dst to a function of x, element by element.
type activation func(e *mat.Engine, dst, x mat.Matrix)

// activations are those of transformers' ACT2FN that a feed-forward layer may name.
var activations = map[string]activation{
	"relu":              (*mat.Engine).ReLU,
	"gelu":              (*mat.Engine).GELU,
	"gelu_new":          (*mat.Engine).GELUTanh,
	"gelu_pytorch_tanh": (*mat.Engine).GELUTanh,
	"silu":              (*mat.Engine).SiLU,
	"swish":             (*mat.Engine).SiLU,
	"tanh":              (*mat.Engine).Tanh,
	"sigmoid":           (*mat.Engine).Sigmoid,
}

// readFeedForward reads the value of feed_forward_proj: "relu", or "gated-gelu", which means gelu_new (configuration_t5.py).
func readFeedForward(c *configFile, projection string) (act activation, gated bool) {
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
