package autodiff

import "fmt"

// Gather returns the rows of table that ids name, one each: an embedding. 0 ≤ id < table.Rows. The gradient of a row is the sum over
// its uses, in ascending order; row padding gets none (torch's padding_idx), and -1 stands for no such row. The tape keeps ids until it is
// reset.
func (t *Tape) Gather(table Value, ids []int, padding int) Value {
	y := t.New(len(ids), table.Cols, t.Needs(table))
	for i, id := range ids {
		if id < 0 || id >= table.Rows {
			panic(fmt.Sprintf("autodiff: row %d of %s", id, table.Shape()))
		}
		copy(y.Row(i), table.Row(id))
	}
	if y.Needs() {
		*Record[gathered](t) = gathered{y, table, ids, padding}
	}
	return y
}

type gathered struct {
	y, table Value
	ids      []int
	padding  int
}

// Backward implements Op.
func (o *gathered) Backward(t *Tape) {
	g, ok := t.Grad(o.y)
	if !ok {
		return
	}
	d, add := t.Into(o.table)
	if !add {
		for r := range d.Rows {
			clear(d.Row(r))
		}
	}
	for i, id := range o.ids {
		if id != o.padding {
			t.Engine.AddRow(d.Row(id), g.Row(i))
		}
	}
}
