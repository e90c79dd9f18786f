package poly

import (
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
)

// A Layer is an adapted linear layer: y = base(x) + x·A_t·B_t/R, where A_t and B_t are the skills mixed by task t's weights: split q's
// part of A_t's rows is Σ_s w[q,s]·A[q,s], of B_t's columns Σ_s w[q,s]·B[q,s] (Poly eq. 6 with the names of PEFT's tuners/poly/layer.py).
type Layer struct {
	Path   string // of the linear layer in the base model
	Bank   Bank
	Router Router
	linear *nn.Linear
}

// Mixture returns a task's A_t (In × R) and B_t (R × Out, divided by R). 0 ≤ task < Router.Tasks.
func (l *Layer) Mixture(e *mat.Engine, task int) (a, b mat.Matrix) {
	w, k := l.Router.Weights(e, task), &l.Bank
	a, b = mat.New(k.In, k.R), mat.New(k.R, k.Out)
	in, out := k.In/k.Splits, k.Out/k.Splits
	part := mat.New(1, k.R*out)
	for q := range k.Splits {
		weights := w.RowRange(q, q+1)
		e.MulMatrix(mat.View(a.Data[q*in*k.R:], 1, in*k.R), weights, mat.View(k.splitA(q), k.Skills, in*k.R))
		e.MulMatrix(part, weights, mat.View(k.splitB(q), k.Skills, k.R*out))
		for i := range k.R {
			row := b.Row(i)[q*out : (q+1)*out]
			for j, x := range part.Data[i*out : (i+1)*out] {
				row[j] = x / float32(k.R)
			}
		}
	}
	return a, b
}

// lowRank returns a task's mixture as a linear layer adds it.
func (l *Layer) lowRank(e *mat.Engine, task int) nn.LowRank {
	a, b := l.Mixture(e, task)
	return nn.LowRank{A: mat.Pack(e, a.Data, a.Rows, a.Cols, a.Stride), B: mat.Pack(e, b.Data, b.Rows, b.Cols, b.Stride)}
}
