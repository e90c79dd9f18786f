package poly

import (
	"fmt"
	"math/rand/v2"

	"github.com/polytropon/polytropon/mat"
)

// A Relaxation is how a router's logit z becomes the weight y of a skill, before the weights of a split are divided by their sum.
type Relaxation int

const (
	// Sigmoid is y = sigmoid(z), PEFT's eval mode.
	Sigmoid Relaxation = iota
	// RelaxedBernoulli is y = sigmoid((z + log u − log(1−u)) / temperature) with u uniform in (0, 1), one draw for each sequence, split and
	// skill: PEFT's train mode (Poly eq. 2), with the clamps of torch's distributions/relaxed_bernoulli.py.
	RelaxedBernoulli
	// StraightThrough is y = 1 where sigmoid(z) > ½ and else 0, with sigmoid's gradient. Mind splits of which no logit is above 0, as many are in a fresh
	// router with few skills and several splits: they use no skill, and since their sum is 0 their gradient is divided by 1e-12, as it is by torch. Prefer
	// another relaxation there, or clip the norm of the gradients.
	StraightThrough
)

// Routing says how the weights of one pass are found. The zero value is PEFT's eval mode.
type Routing struct {
	Relaxation  Relaxation
	Temperature float32  // of RelaxedBernoulli; 0 means 1, which PEFT uses
	Uniforms    Uniforms // the draws of RelaxedBernoulli
}

// Uniforms is a source of draws.
type Uniforms interface {
	// Draw sets u, sequences × (splits·skills), to numbers 0 ≤ x < 1, for the router of the module at path. Routers ask in the base model's order.
	Draw(path string, u mat.Matrix) error
}

// RandomUniforms returns draws from source: multiples of 2⁻²⁴, as torch's rand has in float32.
func RandomUniforms(source rand.Source) Uniforms { return randomUniforms{source} }

type randomUniforms struct{ rand.Source }

func (r randomUniforms) Draw(_ string, u mat.Matrix) error {
	for i := range u.Rows {
		row := u.Row(i)
		for j := range row {
			row[j] = uniform(r)
		}
	}
	return nil
}

// uniform returns a multiple of 2⁻²⁴ in [0, 1), as torch's rand does in float32.
func uniform(source rand.Source) float32 { return float32(source.Uint64()>>40) * 0x1p-24 }

func (r *Routing) check() error {
	if r.Relaxation < Sigmoid || r.Relaxation > StraightThrough {
		return fmt.Errorf("poly: routing: relaxation: got %d, want Sigmoid, RelaxedBernoulli or StraightThrough", r.Relaxation)
	}
	if r.Temperature < 0 || r.Temperature != r.Temperature {
		return fmt.Errorf("poly: routing: temperature: got %v, want > 0, or 0 for 1", r.Temperature)
	}
	if r.Relaxation == RelaxedBernoulli && r.Uniforms == nil {
		return fmt.Errorf("poly: routing: got no Uniforms, want a source of RelaxedBernoulli's draws")
	}
	return nil
}

// Bounds of torch's clamps in float32.
const (
	tiny        = 0x1p-126
	machineStep = 0x1p-23
)

// relax sets y to the weights of the logits z before they are normalised, and slope to dy/dz: all sequences × (splits·skills). u holds the
// draws of RelaxedBernoulli.
func (r *Routing) relax(e *mat.Engine, y, slope, z, u mat.Matrix) {
	e.Sigmoid(y, z)
	if r.Relaxation == RelaxedBernoulli {
		r.relaxBernoulli(e, y, slope, u)
		return
	}
	for i := range y.Rows {
		row, d := y.Row(i), slope.Row(i)
		for j, p := range row {
			d[j] = p * (1 - p)
			if r.Relaxation == StraightThrough {
				row[j] = 0
				if p > 0.5 {
					row[j] = 1
				}
			}
		}
	}
}

// relaxBernoulli replaces the probabilities y. A clamp that acts makes the slope 0.
func (r *Routing) relaxBernoulli(e *mat.Engine, y, slope, u mat.Matrix) {
	temperature := r.Temperature
	if temperature == 0 {
		temperature = 1
	}
	for i := range y.Rows {
		row, d := y.Row(i), slope.Row(i)
		for j, p := range row {
			clamped := clamp(p, machineStep, 1-machineStep)
			v := float64(clamp(u.Row(i)[j], machineStep, 1-machineStep))
			q := float64(clamped)
			logit := mat.Log(v) - mat.Log(1-v) + mat.Log(q) - mat.Log(1-q)
			row[j], d[j] = float32(logit)/temperature, 1/temperature
			if clamped != p {
				d[j] = 0
			}
		}
	}
	e.Sigmoid(y, y)
	for i := range y.Rows {
		row, d := y.Row(i), slope.Row(i)
		for j, p := range row {
			row[j] = clamp(p, tiny, 1-machineStep)
			if row[j] != p {
				d[j] = 0
			}
			d[j] *= row[j] * (1 - row[j])
		}
	}
}

// clamp leaves a NaN as it is.
func clamp(x, low, high float32) float32 {
	switch {
	case x < low:
		return low
	case x > high:
		return high
	}
	return x
}

// epsilon is what PEFT adds to a sum of weights before it divides by it.
const epsilon = 1e-12

// normalize divides the weights of each split by their sum plus 1e-12 and sets sums, a row per row of w and a column per split, to what it
// divided by.
func normalize(w, sums mat.Matrix) {
	skills := w.Cols / max(1, sums.Cols)
	for i := range w.Rows {
		for q := range sums.Cols {
			row := w.Row(i)[q*skills : (q+1)*skills]
			var sum float32
			for _, y := range row {
				sum += y
			}
			sum += epsilon
			for s := range row {
				row[s] /= sum
			}
			sums.Row(i)[q] = sum
		}
	}
}

// addLogitGradients adds to dz what the gradients dw of one sequence's normalised weights w imply: with w = y/S and S = Σy + ε over the skills
// of a split, dy_j = (dw_j − Σ_k dw_k·w_k)/S; slope is dy/dz.
func addLogitGradients(dz, dw, w, slope, sums []float32) {
	skills := len(w) / len(sums)
	for q, sum := range sums {
		from, to := q*skills, (q+1)*skills
		var mean float32
		for j := from; j < to; j++ {
			mean += float32(dw[j] * w[j])
		}
		for j := from; j < to; j++ {
			dy := (dw[j] - mean) / sum
			dz[j] += float32(dy * slope[j])
		}
	}
}
