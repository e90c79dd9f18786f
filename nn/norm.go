package nn

import (
	"fmt"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// RMSNorm is y = x / sqrt(mean(x²) + Epsilon) · weight, row by row (Zhang & Sennrich 2019, eq. 4; T5LayerNorm of transformers).
type RMSNorm struct {
	Epsilon float32
	weight  []float32
	param   *autodiff.Param // has weight as its value where the layer is trained
}

// NewRMSNorm returns a norm over rows as long as weight, which it keeps.
func NewRMSNorm(weight []float32, epsilon float32) *RMSNorm {
	return &RMSNorm{Epsilon: epsilon, weight: weight}
}

// Params implements Layer.
func (n *RMSNorm) Params() []ParamInfo { return []ParamInfo{{"weight", []int{len(n.weight)}}} }

// Values implements Layer.
func (n *RMSNorm) Values() map[string]Weights { return map[string]Weights{"weight": {F32: n.weight}} }

// With implements Layer.
func (n *RMSNorm) With(_ *mat.Engine, values map[string]Weights) Layer {
	w := values["weight"]
	w.check(len(n.weight))
	return NewRMSNorm(w.Float32s(), n.Epsilon)
}

// WithParams implements Layer.
func (n *RMSNorm) WithParams(params map[string]*autodiff.Param) Layer {
	p := params["weight"]
	return &RMSNorm{n.Epsilon, p.Value.Data, p}
}

// Forward returns the normalised rows of x.
func (n *RMSNorm) Forward(p *Pass, rows Ragged, x autodiff.Value) autodiff.Value {
	n.check(p, rows, x.Matrix)
	if p.Tape != nil {
		return n.record(p, x)
	}
	y := p.Matrix(x.Rows, x.Cols)
	n.apply(p, rows, y, x.Matrix)
	return autodiff.Constant(y)
}

// ForwardInPlace returns the normalised rows of x. Without a tape it is x that is changed and returned.
func (n *RMSNorm) ForwardInPlace(p *Pass, rows Ragged, x autodiff.Value) autodiff.Value {
	n.check(p, rows, x.Matrix)
	if p.Tape != nil {
		return n.record(p, x)
	}
	n.apply(p, rows, x.Matrix, x.Matrix)
	return x
}

// ForwardHeads returns x, whose columns are heads as long as the norm, with each head of each row normalised. Without a tape it is x that is
// changed and returned.
func (n *RMSNorm) ForwardHeads(p *Pass, rows Ragged, x autodiff.Value) autodiff.Value {
	p.check(rows)
	size := len(n.weight)
	if size == 0 || x.Cols%size != 0 || x.Rows != rows.Rows() {
		panic(fmt.Sprintf("nn: norm over heads of %d of %s with %d rows", size, x.Shape(), rows.Rows()))
	}
	heads := x.Cols / size
	if p.Tape != nil {
		return p.Tape.Reshape(n.record(p, p.Tape.Reshape(x, x.Rows*heads, size)), x.Rows, x.Cols)
	}
	each(p, rows, n, func(n *RMSNorm, from, to int) {
		for h := range heads {
			head := x.Range(from, to, h*size, (h+1)*size)
			p.Engine.RMSNorm(head, head, n.weight, n.Epsilon)
		}
	})
	return x
}

func (n *RMSNorm) record(p *Pass, x autodiff.Value) autodiff.Value {
	with := inPlaceOf(p, n)
	return p.Tape.RMSNorm(x, parameter(p.Tape, with.param, with.weight, 1, len(with.weight)), with.Epsilon)
}

func (n *RMSNorm) check(p *Pass, rows Ragged, x mat.Matrix) {
	p.check(rows)
	if x.Cols != len(n.weight) || x.Rows != rows.Rows() {
		panic(fmt.Sprintf("nn: norm over %d of %s with %d rows", len(n.weight), x.Shape(), rows.Rows()))
	}
}

func (n *RMSNorm) apply(p *Pass, rows Ragged, y, x mat.Matrix) {
	each(p, rows, n, func(n *RMSNorm, from, to int) {
		p.Engine.RMSNorm(y.RowRange(from, to), x.RowRange(from, to), n.weight, n.Epsilon)
	})
}
