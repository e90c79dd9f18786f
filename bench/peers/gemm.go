package main

import (
	"fmt"
	"math"

	"github.com/polytropon/polytropon/mat"
)

// A gemm is a number of products of m×k by k×n, of matrices that lie one after another.
type gemm struct {
	kind           string // prepacked, unpacked, bf16, accumulate or grouped
	m, k, n, count int
}

func (g gemm) row() row {
	flops := 2 * float64(g.m) * float64(g.k) * float64(g.n) * float64(g.count)
	r := row{kind: g.kind, shape: shape(g.m, g.k, g.n, g.count), work: flops / 1e9, unit: "GFLOPS", flops: flops, tolerance: 1e-5, ours: g.ours}
	beta := 0
	switch g.kind {
	case "bf16":
		r.job = fmt.Sprintf("bf16 %d %d %d", g.m, g.k, g.n)
		r.tolerance = 1.0 / 256 // PyTorch rounds the result to bfloat16
		return r
	case "accumulate":
		beta = 1
	}
	r.job = fmt.Sprintf(gemmJob, g.m, g.k, g.n, g.count, beta)
	return r
}

const gemmJob = "gemm %d %d %d %d %d" // m, k, n, count, beta

func (g gemm) ours(e *mat.Engine) (func(), func() []float32, error) {
	a, b, c := operand(e, seedA, g.count*g.m, g.k), operand(e, seedB, g.count*g.k, g.n), operand(e, seedC, g.count*g.m, g.n)
	var run func()
	switch g.kind {
	case "unpacked":
		run = func() { e.MulMatrix(c, a, b) }
	case "bf16":
		truncate(a.Data) // PyTorch wants both operands in bfloat16, so both sides have these values
		w := mat.Pack(e, truncate(b.Data), g.k, g.n, g.n)
		run = func() { e.Mul(c, a, w) }
	case "grouped":
		group := make([]mat.Product, g.count)
		for i := range group {
			w := mat.Pack(e, b.RowRange(i*g.k, (i+1)*g.k).Data, g.k, g.n, g.n)
			group[i] = mat.Product{C: c.RowRange(i*g.m, (i+1)*g.m), A: a.RowRange(i*g.m, (i+1)*g.m), B: w}
		}
		run = func() { e.MulGrouped(group) }
	default:
		w := mat.Pack(e, b.Data, g.k, g.n, g.n)
		run = func() { e.Mul(c, a, w) }
		if g.kind == "accumulate" {
			run = func() { e.MulAdd(c, a, w) }
		}
	}
	return run, func() []float32 { return c.Data }, nil
}

// truncate clears what bfloat16 has no room for, and returns the values in that type.
func truncate(x []float32) []mat.BFloat16 {
	half := make([]mat.BFloat16, len(x))
	for i := range x {
		bits := math.Float32bits(x[i]) >> 16
		half[i], x[i] = mat.BFloat16(bits), math.Float32frombits(bits<<16)
	}
	return half
}
