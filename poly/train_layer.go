package poly

import (
	"fmt"
	"slices"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
)

// A trainedLayer is an adapted layer that is trained. It adds x·A_b·B_b/R to the output, where A_b and B_b are the skills mixed by the
// weights of sequence b.
type trainedLayer struct {
	trainer  *Trainer
	layer    *Layer     // shapes; its values are where the training began
	operands [3]operand // A, B and the logits
	draws    mat.Matrix // of the passes since Begin, in memory that grows with it
	memory   []float32  // of draws
}

// An operand is a tensor of a layer, as a matrix whose columns are the last dimension.
type operand struct {
	value mat.Matrix
	param *autodiff.Param // nil where it is not trained
}

func (o operand) on(t *autodiff.Tape) autodiff.Value {
	if o.param == nil {
		return autodiff.Constant(o.value)
	}
	return t.Param(o.param)
}

// draw asks for the draws of the next passes.
func (l *trainedLayer) draw(sequences int, u Uniforms) error {
	cols := l.operands[ofZ].value.Cols
	l.memory = slices.Grow(l.memory[:0], sequences*cols)[:sequences*cols]
	l.draws = mat.View(l.memory, sequences, cols)
	return u.Draw(l.layer.Path, l.draws)
}

// AddTo implements nn.Added.
func (l *trainedLayer) AddTo(p *nn.Pass, rows nn.Ragged, y, x autodiff.Value) autodiff.Value {
	t, k, n := p.Tape, &l.layer.Bank, rows.Sequences()
	if tasks := len(l.trainer.tasks); tasks != n {
		panic(fmt.Sprintf("poly: %s: a pass of %d sequences after Begin with %d tasks", l.layer.Path, n, tasks))
	}
	m := mixed{l: l, rows: rows, x: x, a: l.operands[ofA].on(t), b: l.operands[ofB].on(t), z: l.operands[ofZ].on(t)}
	m.weights, m.slope, m.sums = t.Scratch(n, k.Splits*k.Skills), t.Scratch(n, k.Splits*k.Skills), t.Scratch(n, k.Splits)
	m.mixA, m.mixB, m.h = t.Scratch(n, k.In*k.R), t.Scratch(n, k.R*k.Out), t.Scratch(x.Rows, k.R)
	if t.Needs(x, m.a, m.b, m.z) {
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
	m.eachRow(m.mixB, parts, func(whole, part []float32) { t.Engine.DivRow(whole, part, float32(k.R)) })
}

// add adds the low-rank products to y.
func (m *mixed) add(t *autodiff.Tape) {
	m.group(t, (*mat.Engine).MulMatrixGrouped, func(i int) mat.MatrixProduct {
		return mat.MatrixProduct{C: m.of(m.h, i), A: m.of(m.x.Matrix, i), B: m.sideA(m.mixA, i)}
	})
	m.group(t, (*mat.Engine).MulAddMatrixGrouped, func(i int) mat.MatrixProduct {
		return mat.MatrixProduct{C: m.of(m.y.Matrix, i), A: m.of(m.h, i), B: m.sideB(m.mixB, i)}
	})
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

// eachRow calls f with what belongs together of two layouts of the B of all sequences: whole has R × Out, parts the splits one after another, each
// R × Out/Splits.
func (m *mixed) eachRow(whole, parts mat.Matrix, f func(whole, part []float32)) {
	k := &m.l.layer.Bank
	n := k.Out / k.Splits
	for i := range whole.Rows {
		w, p := whole.Row(i), parts.Row(i)
		for q := range k.Splits {
			for r := range k.R {
				f(w[r*k.Out+q*n:][:n], p[(q*k.R+r)*n:][:n])
			}
		}
	}
}

// part returns range q of n equal ranges of columns.
func part(m mat.Matrix, q, n int) mat.Matrix { return m.ColRange(q*m.Cols/n, (q+1)*m.Cols/n) }
