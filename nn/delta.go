package nn

import "github.com/polytropon/polytropon/mat"

// An Adapter is something that a sequence of a batch asks for on top of the base model: one task of a set of adapters, say.
type Adapter interface {
	// Delta returns what the adapter changes, or an error where it cannot be used: a task that it does not have, say.
	Delta() (*Delta, error)
}

// A Delta is what an adapter changes in a base model, ready to be computed with. It is immutable; calls find what they need by the
// base model's layers, and add to a replaced layer what LowRank has for the base's. What it holds for layers of another model has no effect.
type Delta struct {
	LowRank  map[*Linear]LowRank // what is added to the outputs of linear layers
	Replaced map[Layer]Layer     // what is used in place of a layer
}

// LowRank is a product of two thin matrices that is added to a linear layer's output: y += x·A·B.
type LowRank struct {
	A *mat.Packed // in × r
	B *mat.Packed // r × out, with any scaling folded in
}
