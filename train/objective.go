package train

import (
	"context"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/nn"
)

// An Objective is what a [Loop] trains: parameters and a loss of them. It may be a [Replicator] and a [Saver] as well.
type Objective interface {
	// Params returns what is trained: always the same, with names of their own.
	Params() []*autodiff.Param

	// Measure returns how many tokens an example takes of a micro-batch, at least 1, and how many of its labels count, or an error where it
	// cannot be used.
	Measure(x Example) (Size, error)

	// Loss records the loss of a micro-batch on p.Tape and returns it, 1 × 1: the sum over the batch's labels that count, divided by b.Labels, so
	// that the losses of all micro-batches of a step add up to a mean. A term that is to count once a step, a prior say, is added where
	// b.Index is 0.
	//
	// p is ready for as many sequences as b has examples and for layers that are not trained; for those that are, p.ResetTraining makes it ready with
	// the same tape, which is Evaluating in an evaluation. What b holds is valid until the loss's gradients have been found. Once ctx is done Loss may
	// return ctx's error: the step is then given up.
	Loss(ctx context.Context, p *nn.Pass, b *Batch) (autodiff.Value, error)
}

// A Replicator is an objective that several workers can compute at once.
type Replicator interface {
	Objective
	// Replica returns an objective that has the same parameters, in the same order, with the same values in the same memory, but gradients of its own.
	// It is used while nobody changes the values.
	Replica() Objective
}

// A Saver is an objective that has a format of its own for checkpoints. The parameters of others are saved as model.safetensors, under
// their names, in float32.
type Saver interface {
	Objective
	// Save writes all that is trained to files in the folder dir.
	Save(dir string) error
	// Load sets what is trained to what Save wrote.
	Load(dir string) error
}

// Size is what an example takes of a batch.
type Size struct {
	Tokens int // for Config.BatchTokens: rows of the model's matrices, mostly
	Labels int // those that count
}
