package mat

import (
	"fmt"
	"math"
)

// RMSNorm sets each row of dst to x / √(mean(x²) + eps) · weight. dst may be x. The mean of squares is a chain of fused multiply-adds
// in each of 32 lanes and one tree over the lanes; the quotient is one exact division by the exact square root.
func (e *Engine) RMSNorm(dst, x Matrix, weight []float32, eps float32) {
	checkShapes("RMSNorm", dst, x)
	if len(weight) != x.Cols {
		panic(fmt.Sprintf("mat: RMSNorm of %s with %d weights", x.Shape(), len(weight)))
	}
	w := e.work(nil, dst, x)
	w.doRows, w.vector, w.s = doRMSNorm, weight, eps
	e.shareRows(w)
}

// doRMSNorm adds up the squares of a row while it divides the one above.
func doRMSNorm(w *work, from, to int) {
	k := &w.engine.level.Elem
	root := w.engine.rootMeanSquare(w.x.Row(from), w.s)
	for r := from; r < to-1; r++ {
		dst, x, next := w.dst.Row(r), w.x.Row(r), w.x.Row(r+1)
		var sum float32
		for i := 0; i < len(x); i += rowBlock {
			j := min(i+rowBlock, len(x))
			sum += k.DivMulSquares(dst[i:j], x[i:j], w.vector[i:j], next[i:j], root)
		}
		root = rootOfMean(sum, len(x), w.s)
	}
	k.DivMul(w.dst.Row(to-1), w.x.Row(to-1), w.vector, root)
}

func (e *Engine) rootMeanSquare(x []float32, eps float32) float32 {
	return rootOfMean(e.DotRow(x, x), len(x), eps)
}

func rootOfMean(sum float32, n int, eps float32) float32 {
	mean := sum / float32(n)
	return float32(math.Sqrt(float64(mean + eps)))
}

// Softmax sets each row of dst to exp(x - max) / sum(exp(x - max)). dst may be x. Elements of -Inf become 0 and do not change the
// others; a row that is all -Inf, or has NaN or +Inf in it, becomes NaN.
func (e *Engine) Softmax(dst, x Matrix) {
	checkShapes("Softmax", dst, x)
	w := e.work(nil, dst, x)
	w.doRows = doSoftmax
	e.shareRows(w)
}

// doSoftmax looks for the largest element of a row before it divides the one above, so that the processor does both at a time.
func doSoftmax(w *work, from, to int) {
	e := w.engine
	next := e.MaxRow(w.x.Row(from))
	for r := from; r < to; r++ {
		dst := w.dst.Row(r)
		sum := e.softmaxTerms(dst, w.x.Row(r), next)
		if r+1 < to {
			next = e.MaxRow(w.x.Row(r + 1))
		}
		e.softmaxQuotients(dst, sum)
	}
}

func (e *Engine) softmaxRow(dst, x []float32) {
	e.softmaxQuotients(dst, e.softmaxTerms(dst, x, e.MaxRow(x)))
}

// softmaxTerms sets dst = 2⁶⁴·exp(x - largest) and returns its sum.
func (e *Engine) softmaxTerms(dst, x []float32, largest float32) float32 {
	var sum float32
	for i := 0; i < len(x); i += rowBlock {
		j := min(i+rowBlock, len(x))
		sum += e.level.Elem.ExpSum(dst[i:j], x[i:j], largest)
	}
	return sum
}

// softmaxQuotients divides the terms by their sum.
func (e *Engine) softmaxQuotients(dst []float32, sum float32) {
	inverse := 1 / sum
	for i := 0; i < len(dst); i += rowBlock {
		row := dst[i:min(i+rowBlock, len(dst))]
		e.level.Elem.Div(row, row, sum, inverse)
	}
}

// LogSumExp sets dst[i] = max + log(sum(exp(x - max))) over row i of x. Where the largest element is infinite, so is the result; a row
// with NaN gives NaN, a row without columns -Inf.
func (e *Engine) LogSumExp(dst []float32, x Matrix) {
	if len(dst) != x.Rows {
		panic(fmt.Sprintf("mat: LogSumExp of %s into %d values", x.Shape(), len(dst)))
	}
	if x.Cols == 0 {
		for i := range dst {
			dst[i] = negInf
		}
		return
	}
	w := e.work(doLogSumExp, Matrix{}, x)
	w.vector = dst
	e.shareRows(w)
}

func doLogSumExp(w *work, r, _, _ int) { w.vector[r] = w.engine.logSumExpRow(w.x.Row(r)) }

func (e *Engine) logSumExpRow(x []float32) float32 {
	m := e.MaxRow(x)
	if math.IsInf(float64(m), 0) {
		for _, v := range x {
			if v != v {
				return v
			}
		}
		return m
	}
	var sum float32
	for i := 0; i < len(x); i += rowBlock {
		sum += e.level.Elem.SumExp(x[i:min(i+rowBlock, len(x))], m)
	}
	return logOfTerms(m, sum)
}

// logOfTerms returns largest + log(Σ exp(x - largest)); the kernels' terms are multiplied by 2⁶⁴.
func logOfTerms(largest, sum float32) float32 { return largest + logarithm(sum*0x1p-64) }
