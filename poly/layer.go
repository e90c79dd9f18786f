package poly

import (
	"fmt"

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

// newLayer returns an adapted layer without values.
func newLayer(c *Config, path string, linear *nn.Linear) (*Layer, error) {
	for _, side := range []struct {
		name string
		n    int
	}{{"in_features", linear.In}, {"out_features", linear.Out}} {
		if side.n%c.NSplits != 0 {
			return nil, &ConfigError{"n_splits", fmt.Sprint(c.NSplits), fmt.Sprintf("a divisor of the %s of %s, %d", side.name, path, side.n)}
		}
	}
	return &Layer{
		Path:   path,
		Bank:   Bank{Splits: c.NSplits, Skills: c.NSkills, R: c.R, In: linear.In, Out: linear.Out},
		Router: Router{Tasks: c.NTasks, Splits: c.NSplits, Skills: c.NSkills},
		linear: linear,
	}, nil
}

// A layerTensor is a tensor of an adapted layer: its key in a file, its shape, and where its values are kept.
type layerTensor struct {
	key    string
	shape  []int
	values *[]float32
}

// size returns the number of elements.
func (t layerTensor) size() int {
	n := 1
	for _, d := range t.shape {
		n *= d
	}
	return n
}

// Indices into what tensors returns.
const (
	ofA = iota
	ofB
	ofZ
)

// tensors lists the layer's tensors: the bank's A and B and the router's logits.
func (l *Layer) tensors() [3]layerTensor {
	return [...]layerTensor{
		ofA: {keyPrefix + l.Path + suffixA, l.Bank.shapeA(), &l.Bank.A},
		ofB: {keyPrefix + l.Path + suffixB, l.Bank.shapeB(), &l.Bank.B},
		ofZ: {keyPrefix + l.Path + suffixZ, l.Router.shape(), &l.Router.Logits},
	}
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
