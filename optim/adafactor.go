package optim

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// AdafactorOptions are the numbers of Adafactor. Each means what it says, 0 and false included; as three of them must not be 0, a zero
// AdafactorOptions is refused. Begin with DefaultAdafactor.
type AdafactorOptions struct {
	SquareEps      float64 // added to squared gradients, > 0: the first of transformers' eps
	ScaleEps       float64 // the least root mean square that ScaleParameter takes a parameter to have, > 0: the second
	ClipThreshold  float64 // what the root mean square of an update is limited to, > 0
	DecayRate      float64 // 1 - stepᵈ of the mean squares is kept in a step, ≤ 0
	Beta1          float64 // what is kept of the mean update in a step, in [0, 1); 0 is transformers' None and needs no memory
	ScaleParameter bool    // multiply the rate by the parameter's root mean square
	RelativeStep   bool    // the rate is min(0.01, 1/√step); groups must have none
	WarmupInit     bool    // min(10⁻⁶·step, 1/√step) instead
}

// DefaultAdafactor returns transformers' defaults: 1e-30, 1e-3, 1, -0.8, no Beta1, ScaleParameter and RelativeStep. For rates of one's own, and
// so for TwoSpeed, set RelativeStep to false.
func DefaultAdafactor() AdafactorOptions {
	return AdafactorOptions{SquareEps: 1e-30, ScaleEps: 1e-3, ClipThreshold: 1, DecayRate: -0.8, ScaleParameter: true, RelativeStep: true}
}

func (o AdafactorOptions) check(groups []Group) error {
	err := cmp.Or(
		positive("SquareEps", o.SquareEps),
		positive("ScaleEps", o.ScaleEps),
		positive("ClipThreshold", o.ClipThreshold),
		fraction("Beta1", o.Beta1),
	)
	if err != nil {
		return err
	}
	if !(o.DecayRate <= 0) || math.IsInf(o.DecayRate, -1) {
		return fmt.Errorf("optim: DecayRate: got %v, want a finite number ≤ 0", o.DecayRate)
	}
	if o.WarmupInit && !o.RelativeStep {
		return errors.New("optim: WarmupInit: got true, want false without RelativeStep")
	}
	for i, g := range groups {
		if o.RelativeStep && g.LR != 0 {
			return fmt.Errorf("optim: group %d: LR: got %v, want 0 with RelativeStep", i, g.LR)
		}
	}
	return nil
}

// Adafactor is the optimiser of transformers' T5 recipes. Tensors of two dimensions or more are taken as matrices over the last two, and have one mean
// square per row and one per column in place of one per element. The kinds of its state are exp_avg_sq_row and exp_avg_sq_col, or
// exp_avg_sq for fewer dimensions, and exp_avg where there is a Beta1.
type Adafactor struct {
	state
	options AdafactorOptions
	task    adafactorTask
}

var _ Optimizer = (*Adafactor)(nil)

// NewAdafactor returns an Adafactor.
func NewAdafactor(groups []Group, o AdafactorOptions) (*Adafactor, error) {
	params, groupOf, err := flatten(groups)
	if err := cmp.Or(err, o.check(groups)); err != nil {
		return nil, err
	}
	a := &Adafactor{state: state{groups: slices.Clone(groups)}, options: o}
	for i, p := range params {
		a.addParam(p, groupOf[i])
	}
	return a, nil
}

// addParam gives the state and the task what a parameter needs.
func (a *Adafactor) addParam(param *autodiff.Param, group int) {
	p := &adafactorParam{Param: param, group: group}
	a.task.params = append(a.task.params, p)
	if a.options.Beta1 != 0 {
		p.mean = a.add(param, "exp_avg", param.Shape)
	}
	rank := len(param.Shape)
	if rank < 2 {
		a.task.add(p, &adafactorMatrix{rows: len(param.Value.Data), cols: 1, full: a.add(param, "exp_avg_sq", param.Shape)})
		return
	}
	outer, rows, cols := param.Shape[:rank-2], param.Shape[rank-2], param.Shape[rank-1]
	row := a.add(param, "exp_avg_sq_row", param.Shape[:rank-1])
	col := a.add(param, "exp_avg_sq_col", slices.Concat(outer, []int{cols}))
	for i := range len(param.Value.Data) / max(1, rows*cols) {
		a.task.add(p, &adafactorMatrix{
			at: i * rows * cols, rows: rows, cols: cols,
			row: row[i*rows : (i+1)*rows], col: col[i*cols : (i+1)*cols], colFactor: make([]float32, cols),
		})
	}
}

// Step is Optimizer.Step. With RelativeStep, factor multiplies the relative rate.
func (a *Adafactor) Step(e *mat.Engine, factor float64) {
	a.steps++
	o, t := &a.options, &a.task
	keep := 1 - power(float64(a.steps), o.DecayRate)
	t.engine = e
	t.keep, t.gain, t.eps = float32(keep), float32(1-keep), float32(o.SquareEps)
	t.meanKeep, t.meanGain = float32(o.Beta1), float32(1-o.Beta1)
	t.scaled = o.ScaleParameter

	t.run(gather, len(t.blocks))
	t.run(columns, len(t.matrices))
	t.run(measure, len(t.blocks))
	for _, p := range t.params {
		g := a.groups[p.group]
		a.setRate(p, a.baseRate(g)*factor, g.WeightDecay)
		p.divisor = max(1, p.updateRMS()/float32(o.ClipThreshold))
	}
	t.run(apply, len(t.blocks))
}

// baseRate returns the rate before the scaling by a parameter.
func (a *Adafactor) baseRate(g Group) float64 {
	if !a.options.RelativeStep {
		return g.LR
	}
	steps := float64(a.steps)
	least := 1e-2
	if a.options.WarmupInit {
		least = 1e-6 * steps
	}
	return min(least, 1/math.Sqrt(steps))
}

// setRate sets the rate and decay of p for this step. Where the parameter's root mean square, a float32, takes part, so do the types that PyTorch
// computes in.
func (a *Adafactor) setRate(p *adafactorParam, rate, decay float64) {
	if a.options.ScaleParameter {
		if rms := p.valueRMS(); rms > float32(a.options.ScaleEps) {
			p.rate = rms * float32(rate)
			p.decay = float32(-decay) * p.rate
			return
		}
		rate = float64(a.options.ScaleEps * rate)
	}
	p.rate, p.decay = float32(rate), float32(-decay*rate)
}
