package nn

import (
	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// Added is a trained term of a linear layer's output.
type Added interface {
	// AddTo returns y plus the term for the layer's input x, recorded on the pass's tape. It may change y in place.
	AddTo(p *Pass, rows Ragged, y, x autodiff.Value) autodiff.Value
}

// Trained is what is trained on top of a base model. It is used for every sequence of a pass.
type Trained struct {
	Added    map[*Linear]Added // terms of the outputs of linear layers
	Replaced map[Layer]Layer   // what is used in place of a layer: layers that WithParams returned
}

// ResetTraining makes p ready for a batch of as many sequences, to be recorded on t, which it resets, with what a trains; nil trains nothing. All
// of p's matrices are freed.
func (p *Pass) ResetTraining(t *autodiff.Tape, sequences int, a *Trained) {
	p.Release(mat.Mark{})
	t.Reset()
	p.Tape, p.trained, p.sequences = t, a, sequences
	p.segments, p.views, p.ints = p.segments[:0], p.views[:0], p.ints[:0]
}

// inPlaceOf returns what stands for base in a pass with a tape.
func inPlaceOf[L Layer](p *Pass, base L) L {
	if p.trained != nil {
		if l, ok := p.trained.Replaced[base]; ok {
			return l.(L)
		}
	}
	return base
}

// parameter returns a layer's tensor as an operand: of rows × cols, trained if param is not nil.
func parameter(t *autodiff.Tape, param *autodiff.Param, value []float32, rows, cols int) autodiff.Value {
	if param != nil {
		return t.Param(param)
	}
	return autodiff.Constant(mat.View(value, rows, cols))
}
