package train

import (
	"errors"
	"fmt"
	"math"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/optim"
)

// Config says what a [Loop] does. Fields that transformers' TrainingArguments have are named as there.
type Config struct {
	Engine    *mat.Engine // of the level that the objective's layers were made for
	Objective Objective
	Optimizer optim.Optimizer // of the objective's parameters, all or some of them; it has done no steps
	Schedule  optim.Schedule  // nil: optim.Constant
	Train     Dataset
	Eval      Dataset // nil: there is no evaluation; its first epoch counts

	// A micro-batch has as many consecutive examples as these let it. One of them must not be 0.
	BatchTokens int // the most tokens of a micro-batch; a longer example is an error; 0: no limit
	BatchSize   int // the most examples of a micro-batch (per_device_train_batch_size); 0: no limit

	// A step has this many micro-batches, fewer at the end of an epoch; 0: one. Its loss is the mean over all of their labels.
	GradientAccumulationSteps int
	// How many micro-batches of a step are computed at once, each by a replica of the objective, with memory of its own; 0: one. They share the
	// engine's threads; with one worker, all threads share each operation. No bit depends on it.
	Workers int

	MaxGradNorm float64 // gradients are clipped to this norm; 0: they are not

	// The run ends when one of these is reached. One of them must not be 0, which is no limit.
	MaxSteps       int
	NumTrainEpochs int

	EvalSteps int    // evaluate after every so many steps; 0: after the last
	OutputDir string // where checkpoints are kept, a folder of this run alone; "": none are
	SaveSteps int    // keep a checkpoint after every so many steps, besides that of the last and of evaluations that are the best so far

	Seed uint64 // of the objective's draws

	OnStep     func(Progress)   // is called after each step; nil: nothing is
	OnEvaluate func(Evaluation) // is called after each evaluation; nil: nothing is
}

// check returns an error that names the first field that is not right, and fills in what 0 stands for.
func (c *Config) check() error {
	for _, f := range []struct {
		name    string
		missing bool
	}{
		{"Engine", c.Engine == nil}, {"Objective", c.Objective == nil}, {"Optimizer", c.Optimizer == nil}, {"Train", c.Train == nil},
	} {
		if f.missing {
			return fmt.Errorf("train: %s: got nil", f.name)
		}
	}
	for _, f := range []struct {
		name  string
		value int
	}{
		{"BatchTokens", c.BatchTokens}, {"BatchSize", c.BatchSize}, {"GradientAccumulationSteps", c.GradientAccumulationSteps}, {"Workers", c.Workers},
		{"MaxSteps", c.MaxSteps}, {"NumTrainEpochs", c.NumTrainEpochs}, {"EvalSteps", c.EvalSteps}, {"SaveSteps", c.SaveSteps},
	} {
		if f.value < 0 {
			return fmt.Errorf("train: %s: got %d, want ≥ 0", f.name, f.value)
		}
	}
	if c.Schedule == nil {
		c.Schedule = optim.Constant()
	}
	c.GradientAccumulationSteps = max(1, c.GradientAccumulationSteps)
	switch _, replicates := c.Objective.(Replicator); {
	case c.BatchTokens == 0 && c.BatchSize == 0:
		return errors.New("train: BatchTokens and BatchSize: got 0 for both, want a limit")
	case c.MaxSteps == 0 && c.NumTrainEpochs == 0:
		return errors.New("train: MaxSteps and NumTrainEpochs: got 0 for both, want a limit")
	case c.MaxGradNorm != 0 && !(float32(c.MaxGradNorm) > 0 && c.MaxGradNorm <= math.MaxFloat32):
		return fmt.Errorf("train: MaxGradNorm: got %v, want 0 or a positive number that float32 holds", c.MaxGradNorm)
	case c.Workers > c.GradientAccumulationSteps:
		return fmt.Errorf("train: Workers: got %d, want at most the micro-batches of a step, %d (GradientAccumulationSteps)",
			c.Workers, c.GradientAccumulationSteps)
	case c.Workers > 1 && !replicates:
		return fmt.Errorf("train: Workers: got %d, want 1 for an objective that is no Replicator", c.Workers)
	case c.Optimizer.Steps() != 0:
		return fmt.Errorf("train: Optimizer: got one that has done %d steps, want a new one", c.Optimizer.Steps())
	}
	return c.checkOptimizer()
}

// checkOptimizer returns an error unless the optimiser changes what the objective finds gradients of: of any other parameter they stay zero.
func (c *Config) checkOptimizer() error {
	trained := map[*autodiff.Param]bool{}
	for _, p := range c.Objective.Params() {
		trained[p] = true
	}
	n := 0
	for i, g := range c.Optimizer.Groups() {
		for _, p := range g.Params {
			if !trained[p] {
				return fmt.Errorf("train: Optimizer: group %d: got parameter %q that is not the Objective's, want those that its Params returns", i, p.Name)
			}
			n++
		}
	}
	if n == 0 {
		return errors.New("train: Optimizer: got no parameters")
	}
	return nil
}
