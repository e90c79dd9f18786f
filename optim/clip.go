package optim

import (
	"fmt"
	"math"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// A Clip limits the norm of all gradients together, as torch.nn.utils.clip_grad_norm_ does. One call at a time.
type Clip struct {
	max  float32
	task clipTask
}

// NewClip returns a Clip of the gradients of params to the norm max. It panics where max is not above 0; with +Inf it only measures.
func NewClip(params []*autodiff.Param, max float64) *Clip {
	if !(max > 0) {
		panic(fmt.Sprintf("optim: clip to a norm of %v, want > 0", max))
	}
	for _, p := range params {
		checkParam(p)
	}
	s := spans(params)
	return &Clip{max: float32(max), task: clipTask{params: params, spans: s, squares: make([]float32, len(s))}}
}

// Apply returns the norm that the gradients have, the root of the sum of all squares, and multiplies them by max / (norm + 1e-6) where
// that is less than 1. A norm that is not finite is returned and changes nothing (torch would make the gradients zeros and NaN): the
// caller should not step.
func (c *Clip) Apply(e *mat.Engine) float32 {
	t := &c.task
	t.engine, t.scaling = e, false
	e.Run(len(t.spans), t)
	var sum float64
	for _, s := range t.squares {
		sum += float64(s)
	}
	norm := float32(math.Sqrt(sum))
	if norm-norm != 0 {
		return norm
	}
	if t.scale = 1 / (norm + 1e-6) * c.max; t.scale < 1 {
		t.scaling = true
		e.Run(len(t.spans), t)
	}
	return norm
}

// A clipTask is one pass over all gradients, shared by spans.
type clipTask struct {
	engine  *mat.Engine
	params  []*autodiff.Param
	spans   []span
	squares []float32 // the sum of each span's squares
	scaling bool      // the second pass
	scale   float32
}

// Do does span i.
func (t *clipTask) Do(i int) {
	s := t.spans[i]
	g := t.params[s.param].Grad.Data[s.from:s.to]
	if t.scaling {
		t.engine.ScaleRow(g, t.scale)
	} else {
		t.squares[i] = t.engine.DotRow(g, g)
	}
}
