package autodiff

import "github.com/polytropon/polytropon/mat"

// lossRows is how many rows of logits MulCrossEntropy holds at a time: with fewer, it costs more to transpose w for each time.
const lossRows = 512

// MulCrossEntropy returns CrossEntropy(MulPacked(x, w), labels, ignore, n), but never holds all of the logits, and computes none for rows whose label is
// ignore. The gradient of x, if it needs one, is computed here and not on the way back, as that takes the same logits. The loss has the same bits, and so has the
// gradient where that of the loss is 1. Finite logits are assumed: +Inf gives NaN.
func (t *Tape) MulCrossEntropy(x Value, w *mat.Packed, labels []int, ignore, n int) (Value, error) {
	count, err := countLabels(labels, x.Rows, w.N, ignore)
	if err != nil {
		return Value{}, err
	}
	if n == 0 {
		n = count
	}
	loss := t.New(1, 1, t.Needs(x))
	var dx mat.Matrix
	if loss.Needs() {
		dx = t.Scratch(count, x.Cols)
		*Record[packedCrossEntropy](t) = packedCrossEntropy{loss, x, dx, labels, ignore}
	}
	mark := t.values.Mark()
	rows := x.Matrix
	if count < x.Rows {
		rows, labels = t.labelled(x, labels, ignore, count)
	}
	parts := (count + lossRows - 1) / lossRows
	logits, losses := t.Scratch(min(count, lossRows), w.N), t.Scratch(1, min(count, lossRows)).Row(0)
	total := 0.0
	for i := range parts {
		from, to := i*count/parts, (i+1)*count/parts
		part, d := logits.RowRange(0, to-from), mat.Matrix{}
		if loss.Needs() {
			d = part
		}
		t.Engine.Mul(part, rows.RowRange(from, to), w)
		t.Engine.CrossEntropy(losses[:to-from], d, part, labels[from:to], ignore, 1/float32(n))
		if loss.Needs() {
			t.Engine.MulT(dx.RowRange(from, to), d, w)
		}
		for _, l := range losses[:to-from] {
			total += float64(l)
		}
	}
	t.values.Release(mark)
	loss.Data[0] = float32(total / float64(n))
	return loss, nil
}

// labelled returns the rows of x that have labels other than ignore, so many, and those labels.
func (t *Tape) labelled(x Value, labels []int, ignore, count int) (mat.Matrix, []int) {
	rows := t.Scratch(count, x.Cols)
	t.labels = t.labels[:0]
	for i, label := range labels {
		if label != ignore {
			copy(rows.Row(len(t.labels)), x.Row(i))
			t.labels = append(t.labels, label)
		}
	}
	return rows, t.labels
}

type packedCrossEntropy struct {
	loss, x Value
	dx      mat.Matrix // the gradient of the rows that count if that of loss is 1
	labels  []int
	ignore  int
}

// Backward implements Op.
func (c *packedCrossEntropy) Backward(t *Tape) {
	g, ok := t.Grad(c.loss)
	if !ok {
		return
	}
	t.Engine.Scale(c.dx, c.dx, g.Data[0])
	d, add := t.Into(c.x)
	from := 0
	for i, label := range c.labels {
		switch {
		case label != c.ignore && add:
			t.Engine.AddRow(d.Row(i), c.dx.Row(from))
		case label != c.ignore:
			copy(d.Row(i), c.dx.Row(from))
		case !add:
			clear(d.Row(i))
		}
		if label != c.ignore {
			from++
		}
	}
}
