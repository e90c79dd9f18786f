package mat

import (
	"fmt"
	"math"
)

// SoftmaxBackward sets each row of dx to y ⊙ (dy - sum(dy ⊙ y)), y being what Softmax gave. dx may be dy or y. The sum is a row reduction
// like DotRow.
func (e *Engine) SoftmaxBackward(dx, dy, y Matrix) {
	checkShapes("SoftmaxBackward", dx, dy)
	checkShapes("SoftmaxBackward", dx, y)
	w := e.work(doSoftmaxBackward, dx, dy)
	w.y = y
	e.shareRows(w)
}

func doSoftmaxBackward(w *work, r, _, _ int) {
	dy, y := w.x.Row(r), w.y.Row(r)
	w.engine.level.Elem.SubMul(w.dst.Row(r), dy, y, w.engine.DotRow(dy, y))
}

// RMSNormBackward sets dx to the gradient of x, given that of RMSNorm(x, weight, eps). With g = dy ⊙ weight, n columns and
// m = mean(x²) + eps, a row is (g - x·(sum(g ⊙ x)/n/m)) / √m: one fused multiply-add and one division for each element, after rounding the
// factor of x after each step. dx may be dy or x.
func (e *Engine) RMSNormBackward(dx, dy, x Matrix, weight []float32, eps float32) {
	checkShapes("RMSNormBackward", dx, dy)
	checkShapes("RMSNormBackward", dx, x)
	if len(weight) != x.Cols {
		panic(fmt.Sprintf("mat: RMSNormBackward of %s with %d weights", x.Shape(), len(weight)))
	}
	w := e.work(doRMSNormBackward, dx, x)
	w.y, w.vector, w.s = dy, weight, eps
	e.shareRows(w)
}

func doRMSNormBackward(w *work, r, _, _ int) {
	e, x, dy := w.engine, w.x.Row(r), w.y.Row(r)
	var sum float32
	for i := 0; i < len(x); i += rowBlock {
		j := min(i+rowBlock, len(x))
		sum += e.level.Elem.MulDot(dy[i:j], w.vector[i:j], x[i:j])
	}
	n := float32(len(x))
	m := e.DotRow(x, x)/n + w.s
	e.level.Elem.MulSubDiv(w.dst.Row(r), dy, w.vector, x, sum/n/m, float32(math.Sqrt(float64(m))))
}

// RMSNormWeightBackward adds to dw the gradient of the weight, given that of RMSNorm(x, weight, eps): dw + Σ dy ⊙ (x / √(mean(x²) + eps)),
// row by row in ascending order, rounding after each step.
func (e *Engine) RMSNormWeightBackward(dw []float32, dy, x Matrix, eps float32) {
	checkShapes("RMSNormWeightBackward", dy, x)
	if len(dw) != x.Cols {
		panic(fmt.Sprintf("mat: RMSNormWeightBackward of %s into %d weights", x.Shape(), len(dw)))
	}
	if x.Rows == 0 || x.Cols == 0 {
		return
	}
	roots := e.Borrow(x.Rows)
	w := e.work(doRoots, Matrix{}, x)
	w.vector, w.s = roots, eps
	e.shareRows(w)
	// The columns are shared out, each with all of its rows: a row of sums is what the work is over, and takes the place of x.
	w = e.work(doRMSNormWeightBackward, Matrix{}, Matrix{Rows: 1, Cols: x.Cols, Stride: x.Cols, Data: dw})
	w.dst, w.y, w.vector = x, dy, roots
	e.share(w, min(x.Cols, max(128, partSize/x.Rows, ceilDiv(x.Cols, e.threads))))
	e.Return(roots)
}

func doRoots(w *work, r, _, _ int) { w.vector[r] = w.engine.rootMeanSquare(w.x.Row(r), w.s) }

func doRMSNormWeightBackward(w *work, _, from, to int) {
	for r, root := range w.vector {
		w.engine.level.Elem.AddDivMul(w.x.Data[from:to], w.dst.Row(r)[from:to], w.y.Row(r)[from:to], root)
	}
}

// CrossEntropyBackward sets row i of dst to the gradient of scale · (LogSumExp(logits_i) - logits_i[labels[i]]) with respect to the logits, which
// is scale · (Softmax(logits_i) - 1 at labels[i]), rounding after each step; where the label is ignore, to zeros. dst may be logits.
func (e *Engine) CrossEntropyBackward(dst, logits Matrix, labels []int, ignore int, scale float32) {
	checkShapes("CrossEntropyBackward", dst, logits)
	checkLabels("CrossEntropyBackward", logits, labels, ignore)
	w := e.work(doCrossEntropyBackward, dst, logits)
	w.labels, w.ignore, w.s = labels, ignore, scale
	e.shareRows(w)
}

func doCrossEntropyBackward(w *work, r, _, _ int) {
	dst, label := w.dst.Row(r), w.labels[r]
	if label == w.ignore {
		clear(dst)
		return
	}
	w.engine.softmaxRow(dst, w.x.Row(r))
	dst[label] -= 1
	w.engine.ScaleRow(dst, w.s)
}

// CrossEntropy sets losses[i] = LogSumExp(logits_i) - logits_i[labels[i]], or 0 where the label is ignore, and dst as CrossEntropyBackward does, with fewer
// passes over memory. dst may be logits; where it is the zero Matrix no gradient is found. With one, a row that has +Inf in it gives NaN.
func (e *Engine) CrossEntropy(losses []float32, dst, logits Matrix, labels []int, ignore int, scale float32) {
	if dst.Data != nil {
		checkShapes("CrossEntropy", dst, logits)
	}
	checkLabels("CrossEntropy", logits, labels, ignore)
	if len(losses) != logits.Rows {
		panic(fmt.Sprintf("mat: CrossEntropy of %s into %d values", logits.Shape(), len(losses)))
	}
	clear(losses)
	w := e.work(doCrossEntropy, dst, logits)
	w.labels, w.ignore, w.vector, w.s = labels, ignore, losses, scale
	e.shareRows(w)
}

func doCrossEntropy(w *work, r, _, _ int) {
	e, x, label, gradient := w.engine, w.x.Row(r), w.labels[r], w.dst.Data != nil
	switch {
	case label == w.ignore:
		if gradient {
			clear(w.dst.Row(r))
		}
		return
	case !gradient:
		w.vector[r] = e.logSumExpRow(x) - x[label]
		return
	}
	dst, of, largest := w.dst.Row(r), x[label], e.MaxRow(x)
	sum := e.softmaxTerms(dst, x, largest)
	w.vector[r] = logOfTerms(largest, sum) - of
	e.softmaxQuotients(dst, sum)
	dst[label] -= 1
	e.ScaleRow(dst, w.s)
}

func checkLabels(caller string, logits Matrix, labels []int, ignore int) {
	if len(labels) != logits.Rows {
		panic(fmt.Sprintf("mat: %s of %s with %d labels", caller, logits.Shape(), len(labels)))
	}
	for i, label := range labels {
		if label != ignore && (label < 0 || label >= logits.Cols) {
			panic(fmt.Sprintf("mat: %s of %s: label %d of row %d", caller, logits.Shape(), label, i))
		}
	}
}
