package poly

import (
	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
)

// A trainedLayer is an adapted layer that is trained. It adds x·A_b·B_b/R to the output, where A_b and B_b are the skills mixed by the
// weights of sequence b.
type trainedLayer struct {
	trainer *Trainer
	layer   *Layer          // shapes; its values are not used
	a, b, z *autodiff.Param // the bank's A and B and the router's logits
	frozen  [3]bool         // which of a, b, z are not trained
	draws   mat.Matrix      // of the pass, in memory that grows with it
	memory  []float32       // of draws
}

// value returns one of the parameters as an operand, a constant where it is frozen.
func (l *trainedLayer) value(t *autodiff.Tape, i int) autodiff.Value {
	p := [...]*autodiff.Param{l.a, l.b, l.z}[i]
	if l.frozen[i] {
		return autodiff.Constant(p.Value)
	}
	return t.Param(p)
}

// AddTo implements nn.Added.
func (l *trainedLayer) AddTo(p *nn.Pass, rows nn.Ragged, y, x autodiff.Value) autodiff.Value {
	t, k, n := p.Tape, &l.layer.Bank, rows.Sequences()
	m := mixed{l: l, rows: rows, x: x, a: l.value(t, 0), b: l.value(t, 1), z: l.value(t, 2)}
	m.weights, m.slope, m.sums = t.Scratch(n, k.Splits*k.Skills), t.Scratch(n, k.Splits*k.Skills), t.Scratch(n, k.Splits)
	m.mixA, m.mixB, m.h = t.Scratch(n, k.In*k.R), t.Scratch(n, k.R*k.Out), t.Scratch(x.Rows, k.R)
	if x.Needs() || m.a.Needs() || m.b.Needs() || m.z.Needs() {
		y = t.Needing(y)
	}
	m.y = y
	m.route(t)
	m.mix(t)
	m.add(t)
	if y.Needs() {
		*autodiff.Record[mixed](t) = m
	}
	return y
}

// mixed is y = y + x·A_b·B_b/R for the rows of each sequence b, y being changed in place.
type mixed struct {
	l       *trainedLayer
	rows    nn.Ragged
	x, y    autodiff.Value
	a, b, z autodiff.Value

	weights, sums mat.Matrix // of each sequence: splits·skills; what each split was divided by
	slope         mat.Matrix // of each weight before it was divided, by the logit
	mixA, mixB    mat.Matrix // of each sequence: A_b, In × R; B_b/R, R × Out
	h             mat.Matrix // x·A_b
}

// route sets the weights.
func (m *mixed) route(t *autodiff.Tape) {
	tr := m.l.trainer
	z := t.Scratch(m.weights.Rows, m.weights.Cols)
	for i, task := range tr.tasks {
		copy(z.Row(i), split(m.z.Data, task, m.l.layer.Router.Tasks))
	}
	tr.routing.relax(t.Engine, m.weights, m.slope, z, m.l.draws)
	normalize(m.weights, m.sums)
}

// mix mixes the skills of every sequence.
func (m *mixed) mix(t *autodiff.Tape) {
	tr, k := m.l.trainer, &m.l.layer.Bank
	parts := t.Scratch(m.mixB.Rows, m.mixB.Cols)
	tr.products = tr.products[:0]
	for q := range k.Splits {
		w := m.weightsOf(q)
		tr.products = append(tr.products,
			mat.MatrixProduct{C: part(m.mixA, q, k.Splits), A: w, B: m.skills(m.a.Data, q)},
			mat.MatrixProduct{C: part(parts, q, k.Splits), A: w, B: m.skills(m.b.Data, q)})
	}
	t.Engine.MulMatrixGrouped(tr.products)
	m.join(m.mixB, parts, true)
}

// add adds the low-rank products to y.
func (m *mixed) add(t *autodiff.Tape) {
	tr := m.l.trainer
	tr.products = tr.products[:0]
	for i := range m.rows.Sequences() {
		tr.products = append(tr.products, mat.MatrixProduct{C: m.of(m.h, i), A: m.of(m.x.Matrix, i), B: m.sideA(m.mixA, i)})
	}
	t.Engine.MulMatrixGrouped(tr.products)
	for i := range tr.products {
		tr.products[i] = mat.MatrixProduct{C: m.of(m.y.Matrix, i), A: m.of(m.h, i), B: m.sideB(m.mixB, i)}
	}
	t.Engine.MulAddMatrixGrouped(tr.products)
}

// Backward implements autodiff.Op.
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
	m.join(dB, parts, false)
	m.backwardBank(t, dA, parts)
	if m.z.Needs() {
		m.backwardRouter(t, dA, parts)
	}
}

// group computes one product for every sequence.
func (m *mixed) group(t *autodiff.Tape, multiply func(*mat.Engine, []mat.MatrixProduct), of func(i int) mat.MatrixProduct) {
	tr := m.l.trainer
	tr.products = tr.products[:0]
	for i := range m.rows.Sequences() {
		tr.products = append(tr.products, of(i))
	}
	multiply(t.Engine, tr.products)
}

// backwardBank adds to the gradients of the skills what those of the mixtures imply.
func (m *mixed) backwardBank(t *autodiff.Tape, dA, dB mat.Matrix) {
	tr, k := m.l.trainer, &m.l.layer.Bank
	tr.products = tr.products[:0]
	for _, side := range []struct {
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

// backwardRouter adds to the gradient of the logits what those of the mixtures imply: with w = y/S and S = Σy + ε,
// dy_j = (dw_j − Σ_k dw_k·w_k)/S.
func (m *mixed) backwardRouter(t *autodiff.Tape, dA, dB mat.Matrix) {
	tr, k := m.l.trainer, &m.l.layer.Bank
	dw := t.Scratch(m.weights.Rows, m.weights.Cols)
	sum := func(multiply func(*mat.Engine, []mat.MatrixProduct), d mat.Matrix, of []float32) {
		tr.products = tr.products[:0]
		for q := range k.Splits {
			tr.products = append(tr.products, mat.MatrixProduct{C: part(dw, q, k.Splits), A: part(d, q, k.Splits), B: m.skills(of, q)})
		}
		multiply(t.Engine, tr.products)
	}
	sum((*mat.Engine).MulMatrixTGrouped, dA, m.a.Data)
	sum((*mat.Engine).MulAddMatrixTGrouped, dB, m.b.Data)
	to, _ := t.Into(m.z)
	for i, task := range tr.tasks {
		row := split(to.Data, task, m.l.layer.Router.Tasks)
		for q := range k.Splits {
			from := q * k.Skills
			d, w := dw.Row(i)[from:from+k.Skills], m.weights.Row(i)[from:from+k.Skills]
			var mean float32
			for s := range d {
				mean += float32(d[s] * w[s])
			}
			for s := range d {
				dy := (d[s] - mean) / m.sums.Row(i)[q]
				row[from+s] += float32(dy * m.slope.Row(i)[from+s])
			}
		}
	}
}

// weightsOf returns the weights of split q: sequences × skills.
func (m *mixed) weightsOf(q int) mat.Matrix { return part(m.weights, q, m.l.layer.Bank.Splits) }

// skills returns the skills of split q of one side of a bank: a row per skill.
func (m *mixed) skills(bank []float32, q int) mat.Matrix {
	k := &m.l.layer.Bank
	s := split(bank, q, k.Splits)
	return mat.View(s, k.Skills, len(s)/k.Skills)
}

// of returns the rows of sequence i.
func (m *mixed) of(x mat.Matrix, i int) mat.Matrix { return x.RowRange(m.rows[i], m.rows[i+1]) }

// sideA and sideB return the mixture of sequence i: In × R and R × Out.
func (m *mixed) sideA(mix mat.Matrix, i int) mat.Matrix {
	return mat.View(mix.Row(i), m.l.layer.Bank.In, m.l.layer.Bank.R)
}

func (m *mixed) sideB(mix mat.Matrix, i int) mat.Matrix {
	return mat.View(mix.Row(i), m.l.layer.Bank.R, m.l.layer.Bank.Out)
}

// join lays the splits of each sequence's B, R × Out/Splits one after another, side by side in R × Out, or back; either way what is set is
// divided by R.
func (m *mixed) join(whole, parts mat.Matrix, there bool) {
	k := &m.l.layer.Bank
	out, r := k.Out/k.Splits, float32(k.R)
	for i := range whole.Rows {
		w, p := whole.Row(i), parts.Row(i)
		for q := range k.Splits {
			for row := range k.R {
				dst, src := w[row*k.Out+q*out:][:out], p[(q*k.R+row)*out:][:out]
				if !there {
					dst, src = src, dst
				}
				for j, x := range src {
					dst[j] = x / r
				}
			}
		}
	}
}

// part returns range q of n equal ranges of columns.
func part(m mat.Matrix, q, n int) mat.Matrix { return m.ColRange(q*m.Cols/n, (q+1)*m.Cols/n) }
