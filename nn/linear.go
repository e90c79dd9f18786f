package nn

import (
	"fmt"
	"sync"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// Linear is y = x·Wᵀ + b, W being out × in as in torch's nn.Linear and b optional, plus what the adapters of each sequence add.
type Linear struct {
	In, Out int
	weight  *mat.Packed        // in × out
	bias    []float32          // nil where there is none
	screen  func() *mat.Screen // of weight, made at the first call

	param, biasParam *autodiff.Param // out × in and 1 × out, in weight's and bias's place, where the layer is trained
}

// NewLinear returns a layer without a bias that has a packed copy of w, out × in, in w's type and as [mat.CompactT] lays it out. It computes on e and on engines of
// the same level.
func NewLinear(e *mat.Engine, w Weights, out, in int) *Linear {
	w.check(out, in)
	weight := w.packT(e, out, in)
	return &Linear{In: in, Out: out, weight: weight, screen: sync.OnceValue(func() *mat.Screen { return mat.NewScreen(e, weight) })}
}

// WithBias returns a layer like l, which shares its weight, that adds bias, which it keeps, to each row of its output.
func (l *Linear) WithBias(bias []float32) *Linear {
	Weights{F32: bias}.check(l.Out)
	biased := *l
	biased.bias = bias
	return &biased
}

// Params implements Layer: weight, and bias where there is one.
func (l *Linear) Params() []ParamInfo {
	params := []ParamInfo{{"weight", []int{l.Out, l.In}}}
	if l.bias != nil {
		params = append(params, ParamInfo{"bias", []int{l.Out}})
	}
	return params
}

// Values implements Layer. The weight is a copy.
func (l *Linear) Values() map[string]Weights {
	values := map[string]Weights{}
	if l.param != nil {
		values["weight"] = Weights{F32: l.param.Value.Data}
	} else {
		values["weight"] = unpackT(l.weight)
	}
	if l.bias != nil {
		values["bias"] = Weights{F32: l.bias}
	}
	return values
}

// With implements Layer.
func (l *Linear) With(e *mat.Engine, values map[string]Weights) Layer {
	with := NewLinear(e, values["weight"], l.Out, l.In)
	if l.bias != nil {
		return with.WithBias(values["bias"].Float32s())
	}
	return with
}

// WithParams implements Layer. The layer can be used on a tape only.
func (l *Linear) WithParams(params map[string]*autodiff.Param) Layer {
	with := &Linear{In: l.In, Out: l.Out, param: params["weight"]}
	if l.bias != nil {
		with.biasParam = params["bias"]
		with.bias = with.biasParam.Value.Data
	}
	return with
}

// Bytes is the size of the packed weight in memory.
func (l *Linear) Bytes() int { return l.weight.Bytes() }

// Forward returns x·Wᵀ + b with the adapters' additions: rows × out.
func (l *Linear) Forward(p *Pass, rows Ragged, x autodiff.Value) autodiff.Value {
	if p.Tape != nil {
		return l.record(p, rows, x)
	}
	y := p.Matrix(x.Rows, l.Out)
	l.ForwardTo(p, rows, y, x.Matrix)
	return autodiff.Constant(y)
}

// ForwardEach sets y[i] to what Forward of layers[i] returns. The layers, which take the same x, share the work as one.
func ForwardEach(p *Pass, rows Ragged, x autodiff.Value, y []autodiff.Value, layers ...*Linear) {
	if p.Tape != nil {
		for i, l := range layers {
			y[i] = l.record(p, rows, x)
		}
		return
	}
	p.targets = p.targets[:0]
	for i, l := range layers {
		y[i] = autodiff.Constant(p.Matrix(x.Rows, l.Out))
		p.targets = append(p.targets, target{l, y[i].Matrix})
	}
	p.apply(rows, x.Matrix, (*mat.Engine).MulGrouped)
}

// ForwardTo sets y to x·Wᵀ + b with the adapters' additions, in a pass without a tape. y must not overlap x.
func (l *Linear) ForwardTo(p *Pass, rows Ragged, y, x mat.Matrix) {
	p.targets = append(p.targets[:0], target{l, y})
	p.apply(rows, x, (*mat.Engine).MulGrouped)
}

// ForwardAdd returns y + x·Wᵀ + b with the adapters' additions: a residual connection. Without a tape it is y that is changed and returned; y must
// not overlap x.
func (l *Linear) ForwardAdd(p *Pass, rows Ragged, y, x autodiff.Value) autodiff.Value {
	if p.Tape != nil {
		l.check(p, rows, x.Matrix, y.Matrix)
		with := inPlaceOf(p, l)
		if with.param != nil {
			y = p.Tape.Plus(y, p.Tape.MulT(x, p.Tape.Param(with.param)))
		} else {
			y = p.Tape.PlusMulPacked(y, x, with.weight)
		}
		return l.recordAdded(p, rows, y, x, with)
	}
	p.targets = append(p.targets[:0], target{l, y.Matrix})
	p.apply(rows, x.Matrix, (*mat.Engine).MulAddGrouped)
	return y
}

// ForwardAddGate returns ForwardAdd of y and Gate(p, f, a, b), or Apply(p, f, a) where b is the zero Value: the end of a feed-forward layer. On a tape what
// l is applied to is not kept where nothing that is trained needs it. Without one a and y are changed.
func (l *Linear) ForwardAddGate(p *Pass, rows Ragged, y autodiff.Value, f *autodiff.Function, a, b autodiff.Value) autodiff.Value {
	if with := inPlaceOf(p, l); p.Tape != nil && with.param == nil && !l.isAdapted(p) {
		l.check(p, rows, a.Matrix, y.Matrix)
		return l.recordAdded(p, rows, p.Tape.PlusGateMulPacked(y, f, a, b, with.weight), a, with)
	}
	if b.Data == nil {
		return l.ForwardAdd(p, rows, y, Apply(p, f, a))
	}
	return l.ForwardAdd(p, rows, y, Gate(p, f, a, b))
}

// isAdapted reports whether a trained term is added to l's output.
func (l *Linear) isAdapted(p *Pass) bool { return p.trained != nil && p.trained.Added[l] != nil }

// record returns x·Wᵀ + b with what is trained.
func (l *Linear) record(p *Pass, rows Ragged, x autodiff.Value) autodiff.Value {
	l.check(p, rows, x.Matrix, mat.Matrix{Rows: x.Rows, Cols: l.Out})
	var y autodiff.Value
	with := inPlaceOf(p, l)
	if with.param != nil {
		y = p.Tape.MulT(x, p.Tape.Param(with.param))
	} else {
		y = p.Tape.MulPacked(x, with.weight)
	}
	return l.recordAdded(p, rows, y, x, with)
}

// recordAdded returns y, which has the product with with's weight, with with's bias and the trained term.
func (l *Linear) recordAdded(p *Pass, rows Ragged, y, x autodiff.Value, with *Linear) autodiff.Value {
	if with.bias != nil {
		y = p.Tape.PlusRow(y, parameter(p.Tape, with.biasParam, with.bias, 1, l.Out))
	}
	if p.trained != nil {
		if a, ok := p.trained.Added[l]; ok {
			y = a.AddTo(p, rows, y, x)
		}
	}
	return y
}

// CrossEntropy returns the loss of a model whose logits are l's output, recorded on the pass's tape: what autodiff.Tape.CrossEntropy returns for labels,
// IgnoreIndex and n. Where nothing is added to a weight that is not trained, not all logits are held at a time, and none computed in rows that don't count.
func (l *Linear) CrossEntropy(p *Pass, rows Ragged, x autodiff.Value, labels []int, n int) (autodiff.Value, error) {
	with := inPlaceOf(p, l)
	if with.param != nil || with.bias != nil || l.isAdapted(p) {
		return p.Tape.CrossEntropy(l.Forward(p, rows, x), labels, IgnoreIndex, n)
	}
	l.check(p, rows, x.Matrix, mat.Matrix{Rows: x.Rows, Cols: l.Out})
	return p.Tape.MulCrossEntropy(x, with.weight, labels, IgnoreIndex, n)
}

func (l *Linear) check(p *Pass, rows Ragged, x, y mat.Matrix) {
	p.check(rows)
	if x.Cols != l.In || x.Rows != rows.Rows() || y.Cols != l.Out || y.Rows != x.Rows {
		panic(fmt.Sprintf("nn: linear layer %d→%d from %s to %s with %d rows", l.In, l.Out, x.Shape(), y.Shape(), rows.Rows()))
	}
}
