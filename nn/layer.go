package nn

import (
	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// A ParamInfo describes a parameter of a layer.
type ParamInfo struct {
	Name  string // within the layer: "weight"
	Shape []int
}

// A Layer is a module that has parameters of its own. It is a pointer, as the keys of maps are layers.
type Layer interface {
	// Params describes the layer's parameters.
	Params() []ParamInfo
	// Values returns the parameters' values, by name, in the types in which the layer has them. They must not be changed.
	Values() map[string]Weights
	// With returns a layer like this one, for e, with the given values for its parameters, by name and of the shapes that Params lists. It may
	// keep values.
	With(e *mat.Engine, values map[string]Weights) Layer
	// WithParams returns a layer like this one that is trained: its parameters are params, by name and of the shapes that Params lists.
	WithParams(params map[string]*autodiff.Param) Layer
}

// A Module is an entry of a model's tree of modules, as torch's named_modules lists them: adapters name the modules that they adapt
// or replace by these paths.
type Module struct {
	Path  string // "encoder.block.0.layer.0.SelfAttention.q"
	Type  string // torch's class: "Linear", "Embedding", "Dropout", …
	Layer Layer  // nil where the module has no parameters of its own

	Tied   string // the path of an earlier module whose weight is this one's too, as torch ties them; empty: none
	Output bool   // the head, which maps to token ids (transformers' get_output_embeddings)
}
