package train

import (
	"fmt"
	"time"
)

// Progress is what a step did.
type Progress struct {
	Step   int     // steps so far, this one among them
	Epoch  int     // of the step's examples, 0 the first
	Loss   float64 // the mean over the step's labels, and what the objective adds to it, before the step
	Norm   float32 // of all gradients together, before they were clipped
	Factor float64 // the schedule's

	// LearningRates are those of the optimiser's groups, times Factor. They are valid during the call. (What an optimiser makes of them, as Adafactor does,
	// is not in them.)
	LearningRates []float64

	MicroBatches, Examples, Tokens, Labels int // of the step

	// Time that was spent. Forward and Backward are sums over the workers.
	Forward, Backward, Update time.Duration
}

// Evaluation is what an evaluation found.
type Evaluation struct {
	Step                     int     // steps so far
	Loss                     float64 // the mean over all labels
	Best                     bool    // less than all before
	Examples, Tokens, Labels int
}

// A NonFiniteError says that the loss, the norm of the gradients or the schedule's factor became infinite or NaN. The parameters are those before
// the step, and no checkpoint was touched.
type NonFiniteError struct {
	Step  int     // the step that was not done, 1 the first, or, of an evaluation, the step before it
	Name  string  // "loss", "gradient norm", "schedule", "evaluation loss"
	Value float64 // what it became
}

// Error returns one line.
func (e *NonFiniteError) Error() string {
	return fmt.Sprintf("train: step %d: %s: got %v, want a finite number", e.Step, e.Name, e.Value)
}
