package optim

import (
	"cmp"
	"math"
	"slices"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// AdamOptions are the numbers of Adam and AdamW. Each means what it says, 0 included; as Eps must not be 0, a zero AdamOptions is refused. Begin
// with DefaultAdam.
type AdamOptions struct {
	Beta1 float64 // what is kept of the mean gradient in a step, in [0, 1)
	Beta2 float64 // what is kept of the mean squared gradient in a step, in [0, 1)
	Eps   float64 // added to the root of the mean square, > 0
}

// DefaultAdam returns torch's defaults: 0.9, 0.999 and 1e-8.
func DefaultAdam() AdamOptions { return AdamOptions{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8} }

// Adam is torch.optim.Adam or torch.optim.AdamW. The kinds of its state are exp_avg and exp_avg_sq.
type Adam struct {
	state
	options   AdamOptions
	decoupled bool
	task      adamTask
}

var _ Optimizer = (*Adam)(nil)

// NewAdam returns torch.optim.Adam, where weight decay is added to the gradient: g + decay·w.
func NewAdam(groups []Group, o AdamOptions) (*Adam, error) { return newAdam(groups, o, false) }

// NewAdamW returns torch.optim.AdamW, where weight decay shrinks the parameter: w·(1 - rate·decay). (Torch's default decay is 0.01; that of a
// Group is none.)
func NewAdamW(groups []Group, o AdamOptions) (*Adam, error) { return newAdam(groups, o, true) }

func newAdam(groups []Group, o AdamOptions, decoupled bool) (*Adam, error) {
	params, groupOf, err := flatten(groups)
	if err := cmp.Or(err, fraction("Beta1", o.Beta1), fraction("Beta2", o.Beta2), positive("Eps", o.Eps)); err != nil {
		return nil, err
	}
	a := &Adam{state: state{groups: slices.Clone(groups)}, options: o, decoupled: decoupled}
	for i, p := range params {
		a.task.params = append(a.task.params, adamParam{
			Param:  p,
			group:  groupOf[i],
			mean:   a.add(p, "exp_avg", p.Shape),
			square: a.add(p, "exp_avg_sq", p.Shape),
		})
	}
	a.task.spans = spans(params)
	a.task.groups = make([]adamGroup, len(groups))
	return a, nil
}

// Step is Optimizer.Step.
func (a *Adam) Step(e *mat.Engine, factor float64) {
	a.steps++
	o, t := &a.options, &a.task
	correction1 := 1 - power(o.Beta1, float64(a.steps))
	correction2 := 1 - power(o.Beta2, float64(a.steps))
	t.engine = e
	for i, g := range a.groups {
		lr := float64(g.LR * factor)
		n := adamGroup{AdamStep: mat.AdamStep{
			Keep:       1,
			MeanGain:   float32(1 - o.Beta1),
			SquareKeep: float32(o.Beta2),
			SquareGain: float32(1 - o.Beta2),
			RootScale:  float32(math.Sqrt(correction2)),
			Eps:        float32(o.Eps),
			Rate:       float32(-lr / correction1),
		}}
		if a.decoupled {
			n.Keep = float32(1 - float64(lr*g.WeightDecay))
		} else {
			n.decay = float32(g.WeightDecay)
		}
		t.groups[i] = n
	}
	e.Run(len(t.spans), t)
}

// An adamTask is a step, shared by spans.
type adamTask struct {
	engine *mat.Engine
	spans  []span
	params []adamParam
	groups []adamGroup
}

type adamParam struct {
	*autodiff.Param
	group        int
	mean, square []float32
}

// An adamGroup is what a step does to a group's parameters.
type adamGroup struct {
	mat.AdamStep
	decay float32 // times the parameter is added to the gradient: 0 or Adam's decay
}

// Do does span i.
func (t *adamTask) Do(i int) {
	s, e := t.spans[i], t.engine
	p := &t.params[s.param]
	c := t.groups[p.group]
	value, grad := p.Value.Data[s.from:s.to], p.Grad.Data[s.from:s.to]
	if c.decay != 0 {
		decayed := e.Borrow(len(value))
		defer e.Return(decayed)
		e.AddScaledRow(decayed, grad, value, c.decay)
		grad = decayed
	}
	e.AdamRow(value, grad, p.mean[s.from:s.to], p.square[s.from:s.to], c.AdamStep)
}
