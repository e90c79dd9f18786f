package optim

import (
	"math"

	"github.com/polytropon/polytropon/mat"
)

// A Schedule returns the factor of the learning rate for a step; the first step is 0. The formulas are those of transformers'
// get_*_schedule_*; the number of steps is that of the optimiser, not of batches.
type Schedule func(step int) float64

// Constant always returns 1.
func Constant() Schedule { return func(int) float64 { return 1 } }

// ConstantWithWarmup rises from 0 at step 0 to 1 at step warmup, and stays there.
func ConstantWithWarmup(warmup int) Schedule {
	return func(step int) float64 {
		if step < warmup {
			return float64(step) / float64(warmup)
		}
		return 1
	}
}

// Linear rises from 0 at step 0 to 1 at step warmup, falls to 0 at step total, and stays there.
func Linear(warmup, total int) Schedule {
	rise := ConstantWithWarmup(warmup)
	return func(step int) float64 {
		if step < warmup {
			return rise(step)
		}
		return max(0, float64(total-step)/float64(max(1, total-warmup)))
	}
}

// Cosine rises from 0 at step 0 to 1 at step warmup, and falls to 0 at step total along half a wave of the cosine (num_cycles is 0.5).
// After that it rises again as the cosine does.
func Cosine(warmup, total int) Schedule {
	rise := ConstantWithWarmup(warmup)
	return func(step int) float64 {
		if step < warmup {
			return rise(step)
		}
		progress := float64(step-warmup) / float64(max(1, total-warmup))
		return max(0, 0.5*(1+mat.Cos(math.Pi*math.Mod(progress, 2))))
	}
}
