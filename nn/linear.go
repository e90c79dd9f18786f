package nn

import (
	"fmt"

	"github.com/polytropon/polytropon/mat"
)

// Linear is y = x·Wᵀ, W being out × in as in torch's nn.Linear, plus what the adapters of each sequence add.
type Linear struct {
	In, Out int
	weight  *mat.Packed // in × out
}

// NewLinear returns a layer with a packed copy of w, out × in, in w's type. It computes on e and on engines of the same level.
func NewLinear(e *mat.Engine, w Weights, out, in int) *Linear {
	w.check(out, in)
	return &Linear{In: in, Out: out, weight: w.packT(e, out, in)}
}

// Params implements Layer.
func (l *Linear) Params() []Param { return []Param{{"weight", []int{l.Out, l.In}}} }

// With implements Layer.
func (l *Linear) With(e *mat.Engine, values map[string]Weights) Layer {
	return NewLinear(e, values["weight"], l.Out, l.In)
}

// Equal reports whether o has the same weight as l, to the bit and in the same storage type.
func (l *Linear) Equal(o *Linear) bool { return l.weight.Equal(o.weight) }

// Forward returns x·Wᵀ with the adapters' additions: rows × out, in the pass's memory.
func (l *Linear) Forward(p *Pass, rows Ragged, x mat.Matrix) mat.Matrix {
	y := p.Matrix(x.Rows, l.Out)
	l.ForwardTo(p, rows, y, x)
	return y
}

// ForwardTo sets y to x·Wᵀ with the adapters' additions. y must not overlap x.
func (l *Linear) ForwardTo(p *Pass, rows Ragged, y, x mat.Matrix) {
	l.apply(p, rows, y, x, (*mat.Engine).MulGrouped)
}

// ForwardAdd adds x·Wᵀ and the adapters' additions to y: a residual connection. y must not overlap x.
func (l *Linear) ForwardAdd(p *Pass, rows Ragged, y, x mat.Matrix) {
	l.apply(p, rows, y, x, (*mat.Engine).MulAddGrouped)
}

func (l *Linear) apply(p *Pass, rows Ragged, y, x mat.Matrix, multiply func(*mat.Engine, []mat.Product)) {
	if x.Cols != l.In || x.Rows != rows.Rows() || y.Cols != l.Out || y.Rows != x.Rows {
		panic(fmt.Sprintf("nn: linear layer %d→%d from %s to %s with %d rows", l.In, l.Out, x.Shape(), y.Shape(), rows.Rows()))
	}
	p.products = p.products[:0]
	each(p, rows, l, func(l *Linear, from, to int) {
		p.products = append(p.products, mat.Product{C: y.RowRange(from, to), A: x.RowRange(from, to), B: l.weight})
	})
	multiply(p.Engine, p.products)
	for i := 0; l.addDeltas(p, rows, y, x, i); i++ {
	}
}

// addDeltas adds the low-rank product of every sequence's delta number i and tells whether any sequence has so many.
func (l *Linear) addDeltas(p *Pass, rows Ragged, y, x mat.Matrix, i int) bool {
	defer p.Release(p.Mark())
	any := false
	p.products = p.products[:0]
	for _, s := range p.segments {
		if i >= len(s.deltas) {
			continue
		}
		any = true
		lr, ok := s.deltas[i].LowRank[l]
		if !ok {
			continue
		}
		from, to := rows[s.from], rows[s.to]
		p.products = append(p.products, mat.Product{C: p.Matrix(to-from, lr.A.N), A: x.RowRange(from, to), B: lr.A})
	}
	if len(p.products) == 0 {
		return any
	}
	p.Engine.MulGrouped(p.products)
	k := 0
	for _, s := range p.segments {
		if i >= len(s.deltas) {
			continue
		}
		if lr, ok := s.deltas[i].LowRank[l]; ok {
			p.products[k] = mat.Product{C: y.RowRange(rows[s.from], rows[s.to]), A: p.products[k].C, B: lr.B}
			k++
		}
	}
	p.Engine.MulAddGrouped(p.products)
	return any
}
