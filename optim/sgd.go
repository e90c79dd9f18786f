package optim

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// SGDOptions are the numbers of SGD. Each means what it says; all zeros are torch's defaults.
type SGDOptions struct {
	Momentum  float64 // what is kept of the sum of gradients in a step, ≥ 0; 0 keeps no sum
	Dampening float64 // 1 - Dampening of a gradient enters the sum, but all of the first
	Nesterov  bool    // look ahead: needs momentum and no dampening
}

// SGD is torch.optim.SGD: stochastic gradient descent, where weight decay is added to the gradient. The kind of its state is momentum_buffer, where
// there is momentum.
type SGD struct {
	state
	options SGDOptions
	task    sgdTask
}

var _ Optimizer = (*SGD)(nil)

// NewSGD returns an SGD.
func NewSGD(groups []Group, o SGDOptions) (*SGD, error) {
	params, groupOf, err := flatten(groups)
	if err := cmp.Or(err, o.check()); err != nil {
		return nil, err
	}
	s := &SGD{state: state{groups: slices.Clone(groups)}, options: o}
	for i, p := range params {
		n := sgdParam{Param: p, group: groupOf[i]}
		if o.Momentum != 0 {
			n.sum = s.add(p, "momentum_buffer", p.Shape)
		}
		s.task.params = append(s.task.params, n)
	}
	s.task.spans = spans(params)
	s.task.groups = make([]sgdGroup, len(groups))
	return s, nil
}

func (o SGDOptions) check() error {
	if err := notNegative("Momentum", o.Momentum); err != nil {
		return err
	}
	if !(math.Abs(o.Dampening) <= math.MaxFloat32) {
		return fmt.Errorf("optim: Dampening: got %v, want a number that float32 holds", o.Dampening)
	}
	if o.Nesterov && (o.Momentum == 0 || o.Dampening != 0) {
		return fmt.Errorf("optim: Nesterov: got momentum %v and dampening %v, want momentum > 0 and dampening 0", o.Momentum, o.Dampening)
	}
	return nil
}

// Step is Optimizer.Step.
func (s *SGD) Step(e *mat.Engine, factor float64) {
	s.steps++
	t := &s.task
	t.engine, t.first, t.nesterov = e, s.steps == 1, s.options.Nesterov
	t.keep, t.gain = float32(s.options.Momentum), float32(1-s.options.Dampening)
	for i, g := range s.groups {
		t.groups[i] = sgdGroup{decay: float32(g.WeightDecay), rate: float32(-float64(g.LR * factor))}
	}
	e.Run(len(t.spans), t)
}

// An sgdTask is a step, shared by spans.
type sgdTask struct {
	engine *mat.Engine
	spans  []span
	params []sgdParam
	groups []sgdGroup

	first, nesterov bool
	keep, gain      float32 // Momentum, 1 - Dampening
}

type sgdParam struct {
	*autodiff.Param
	group int
	sum   []float32 // of gradients; nil without momentum
}

// An sgdGroup is what a step does to a group's parameters.
type sgdGroup struct {
	decay float32 // times the parameter is added to the gradient
	rate  float32 // negative
}

// Do does span i.
func (t *sgdTask) Do(i int) {
	s, e := t.spans[i], t.engine
	p := &t.params[s.param]
	c := t.groups[p.group]
	value, direction := p.Value.Data[s.from:s.to], p.Grad.Data[s.from:s.to]
	changed := e.Borrow(len(value))
	if c.decay != 0 {
		e.AddScaledRow(changed, direction, value, c.decay)
		direction = changed
	}
	if p.sum != nil {
		sum := p.sum[s.from:s.to]
		if t.first {
			copy(sum, direction)
		} else {
			e.ScaleRow(sum, t.keep)
			e.AddScaledRow(sum, sum, direction, t.gain)
		}
		if t.nesterov {
			e.AddScaledRow(changed, direction, sum, t.keep)
			direction = changed
		} else {
			direction = sum
		}
	}
	e.AddScaledRow(value, value, direction, c.rate)
	e.Return(changed)
}
