package main

import (
	"fmt"

	"github.com/polytropon/polytropon/mat"
)

// An elem is an element or row function over a matrix of values in ±4.
type elem struct {
	name       string
	rows, cols int
}

func (x elem) row() row {
	return row{
		kind: x.name, shape: fmt.Sprintf("%dx%d", x.rows, x.cols), job: fmt.Sprintf("elem %s %d %d", x.name, x.rows, x.cols),
		work: 8 * float64(x.rows*x.cols) / 1e9, unit: "GB/s", tolerance: 1e-5, ours: x.ours,
	}
}

func (x elem) ours(e *mat.Engine) (func(), func() []float32, error) {
	a, c, weight := operand(e, seedA, x.rows, x.cols), operand(e, seedC, x.rows, x.cols), operand(e, seedB, 1, x.cols)
	e.Scale(a, a, 8)
	f := map[string]func(dst, x mat.Matrix){
		"exp": e.Exp, "sigmoid": e.Sigmoid, "silu": e.SiLU, "tanh": e.Tanh, "gelu_tanh": e.GELUTanh, "gelu": e.GELU, "softmax": e.Softmax,
		"rms_norm": func(dst, x mat.Matrix) { e.RMSNorm(dst, x, weight.Data, 1e-6) },
	}[x.name]
	return func() { f(c, a) }, func() []float32 { return c.Data }, nil
}
