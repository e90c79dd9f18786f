package mat

import (
	"fmt"
	"slices"
)

// rowBlock is how many elements the lanes and the tree of a row reduction take at a time; longer rows add the sums of their blocks in
// ascending order. It is part of the arithmetic, and bounds the time of one call of a kernel.
const rowBlock = 16384

// SumRow returns the sum of x, on the calling goroutine: element i is added to lane i mod 32, then the lanes are added in a tree.
// Zeros at the end never change it.
func (e *Engine) SumRow(x []float32) float32 {
	var sum float32
	for i := 0; i < len(x); i += rowBlock {
		sum += e.level.Elem.Sum(x[i:min(i+rowBlock, len(x))])
	}
	return sum
}

// DotRow returns the sum of x ⊙ y, on the calling goroutine, like SumRow but with one fused multiply-add per element.
func (e *Engine) DotRow(x, y []float32) float32 {
	if len(x) != len(y) {
		panic(fmt.Sprintf("mat: DotRow of %d and %d values", len(x), len(y)))
	}
	var sum float32
	for i := 0; i < len(x); i += rowBlock {
		j := min(i+rowBlock, len(x))
		sum += e.level.Elem.Dot(x[i:j], y[i:j])
	}
	return sum
}

// MaxRow returns the largest element of x, passing over NaN; -Inf where there is none.
func (e *Engine) MaxRow(x []float32) float32 {
	m := negInf
	for i := 0; i < len(x); i += rowBlock {
		if v := e.level.Elem.Max(x[i:min(i+rowBlock, len(x))]); v > m {
			m = v
		}
	}
	return m
}

// MaxIndex returns where x has its largest element, the first of equals, passing over NaN; -1 where there is none.
func (e *Engine) MaxIndex(x []float32) int {
	const block = 1024 // soon searched
	m, from := negInf, 0
	for i := 0; i < len(x); i += block {
		if v := e.level.Elem.Max(x[i:min(i+block, len(x))]); v > m {
			m, from = v, i
		}
	}
	i := slices.Index(x[from:], m)
	if i < 0 {
		return -1
	}
	return from + i
}

// AddRow sets dst = dst + x, on the calling goroutine.
func (e *Engine) AddRow(dst, x []float32) {
	if len(dst) != len(x) {
		panic(fmt.Sprintf("mat: AddRow of %d to %d values", len(x), len(dst)))
	}
	e.level.Elem.Add(dst, dst, x)
}

// ScaleRow sets x = x · s, on the calling goroutine.
func (e *Engine) ScaleRow(x []float32, s float32) { e.level.Elem.Scale(x, x, s) }

// MulRow sets dst = x ⊙ y, on the calling goroutine. dst may be x or y.
func (e *Engine) MulRow(dst, x, y []float32) {
	if len(x) != len(dst) || len(y) != len(dst) {
		panic(fmt.Sprintf("mat: MulRow of %d and %d to %d values", len(x), len(y), len(dst)))
	}
	e.level.Elem.Mul(dst, x, y)
}

// DivRow sets dst = x / d, on the calling goroutine. dst may be x.
func (e *Engine) DivRow(dst, x []float32, d float32) {
	if len(dst) != len(x) {
		panic(fmt.Sprintf("mat: DivRow of %d to %d values", len(x), len(dst)))
	}
	e.level.Elem.DivExact(dst, x, d)
}

// AddScaledRow sets dst = x + y·s with one rounding, on the calling goroutine. dst may be x or y.
func (e *Engine) AddScaledRow(dst, x, y []float32, s float32) {
	if len(x) != len(dst) || len(y) != len(dst) {
		panic(fmt.Sprintf("mat: AddScaledRow of %d and %d to %d values", len(x), len(y), len(dst)))
	}
	e.level.Elem.AddScaled(dst, x, y, s)
}
