package poly

import (
	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// Backward implements autodiff.Op. With h = x·A_b and g the gradient of y, row by row of a sequence,
//
//	dh = g·(B_b/R)ᵀ      dx = dh·A_bᵀ      dA_b = xᵀ·dh      d(B_b/R) = hᵀ·g
func (m *mixed) Backward(t *autodiff.Tape) {
	g, ok := t.Grad(m.y)
	if !ok {
		return
	}
	dh := t.Scratch(m.h.Rows, m.h.Cols)
	m.group(t, (*mat.Engine).MulMatrixTGrouped, func(i int) mat.MatrixProduct {
		return mat.MatrixProduct{C: m.of(dh, i), A: m.of(g, i), B: m.sideB(m.mixB, i)}
	})
	if m.x.Needs() {
		dx, add := t.Into(m.x)
		multiply := (*mat.Engine).MulMatrixTGrouped
		if add {
			multiply = (*mat.Engine).MulAddMatrixTGrouped
		}
		m.group(t, multiply, func(i int) mat.MatrixProduct {
			return mat.MatrixProduct{C: m.of(dx, i), A: m.of(dh, i), B: m.sideA(m.mixA, i)}
		})
	}
	if !m.a.Needs() && !m.b.Needs() && !m.z.Needs() {
		return
	}
	dA, dB, parts := t.Scratch(m.mixA.Rows, m.mixA.Cols), t.Scratch(m.mixB.Rows, m.mixB.Cols), t.Scratch(m.mixB.Rows, m.mixB.Cols)
	m.group(t, (*mat.Engine).MulTMatrixGrouped, func(i int) mat.MatrixProduct {
		return mat.MatrixProduct{C: m.sideA(dA, i), A: m.of(m.x.Matrix, i), B: m.of(dh, i)}
	})
	m.group(t, (*mat.Engine).MulTMatrixGrouped, func(i int) mat.MatrixProduct {
		return mat.MatrixProduct{C: m.sideB(dB, i), A: m.of(m.h, i), B: m.of(g, i)}
	})
	m.eachRow(dB, parts, func(whole, part []float32) { t.Engine.DivRow(part, whole, float32(m.l.layer.Bank.R)) })
	m.backwardBank(t, dA, parts)
	if m.z.Needs() {
		m.backwardRouter(t, dA, parts)
	}
}

// backwardBank adds to the gradients of the skills what those of the mixtures imply: skill s of a split gets Σ_b w[b,s]·dA_b.
func (m *mixed) backwardBank(t *autodiff.Tape, dA, dB mat.Matrix) {
	tr, k := m.l.trainer, &m.l.layer.Bank
	tr.products = tr.products[:0]
	for _, side := range [...]struct {
		of autodiff.Value
		d  mat.Matrix
	}{{m.a, dA}, {m.b, dB}} {
		if !side.of.Needs() {
			continue
		}
		to, _ := t.Into(side.of) // a parameter's gradient is always added to
		for q := range k.Splits {
			tr.products = append(tr.products, mat.MatrixProduct{C: m.skills(to.Data, q), A: m.weightsOf(q), B: part(side.d, q, k.Splits)})
		}
	}
	t.Engine.MulAddTMatrixGrouped(tr.products)
}

// backwardRouter adds to the gradient of the logits what those of the mixtures imply: the weight of skill s for sequence b has the gradient
// dA_b·A_s + dB_b·B_s, products of all elements.
func (m *mixed) backwardRouter(t *autodiff.Tape, dA, dB mat.Matrix) {
	tr, k := m.l.trainer, &m.l.layer.Bank
	dw := t.Scratch(m.weights.Rows, m.weights.Cols)
	weigh := func(multiply func(*mat.Engine, []mat.MatrixProduct), d mat.Matrix, bank []float32) {
		tr.products = tr.products[:0]
		for q := range k.Splits {
			tr.products = append(tr.products, mat.MatrixProduct{C: part(dw, q, k.Splits), A: part(d, q, k.Splits), B: m.skills(bank, q)})
		}
		multiply(t.Engine, tr.products)
	}
	weigh((*mat.Engine).MulMatrixTGrouped, dA, m.a.Data)
	weigh((*mat.Engine).MulAddMatrixTGrouped, dB, m.b.Data)
	to, _ := t.Into(m.z)
	for i, task := range tr.tasks {
		addLogitGradients(split(to.Data, task, m.l.layer.Router.Tasks), dw.Row(i), m.weights.Row(i), m.slope.Row(i), m.sums.Row(i))
	}
}
