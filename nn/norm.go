package nn

import (
	"fmt"

	"github.com/polytropon/polytropon/mat"
)

// RMSNorm is y = x / sqrt(mean(x²) + Epsilon) · weight, row by row (Zhang & Sennrich 2019, eq. 4; T5LayerNorm of transformers).
type RMSNorm struct {
	Epsilon float32
	weight  []float32
}

// NewRMSNorm returns a norm over rows as long as weight, which it keeps.
func NewRMSNorm(weight []float32, epsilon float32) *RMSNorm { return &RMSNorm{epsilon, weight} }

// Params implements Layer.
func (n *RMSNorm) Params() []Param { return []Param{{"weight", []int{len(n.weight)}}} }

// With implements Layer.
func (n *RMSNorm) With(_ *mat.Engine, values map[string]Weights) Layer {
	w := values["weight"]
	w.check(len(n.weight))
	return NewRMSNorm(w.Float32s(), n.Epsilon)
}

// Forward returns the normalised rows of x, in the pass's memory.
func (n *RMSNorm) Forward(p *Pass, rows Ragged, x mat.Matrix) mat.Matrix {
	y := p.Matrix(x.Rows, x.Cols)
	n.ForwardTo(p, rows, y, x)
	return y
}

// ForwardTo sets y to the normalised rows of x. y may be x.
func (n *RMSNorm) ForwardTo(p *Pass, rows Ragged, y, x mat.Matrix) {
	if x.Cols != len(n.weight) || x.Rows != rows.Rows() || y.Cols != x.Cols || y.Rows != x.Rows {
		panic(fmt.Sprintf("nn: norm over %d from %s to %s with %d rows", len(n.weight), x.Shape(), y.Shape(), rows.Rows()))
	}
	each(p, rows, n, func(n *RMSNorm, from, to int) {
		p.Engine.RMSNorm(y.RowRange(from, to), x.RowRange(from, to), n.weight, n.Epsilon)
	})
}
