package mat

// maxStrip is at least the number of rows of the widest kernel of any level.
const maxStrip = 16

// forward computes one part of Attention.
func (t *attentionTask) forward(p attentionPart) {
	e := t.engine
	q, out := t.queries(t.q, p), t.queries(t.out, p)
	k, v := t.keys(t.k, p), t.keys(t.v, p)
	n := t.seen(p.to, k.Rows)
	if n == 0 {
		clearRows(out.RowRange(p.from, p.to))
		return
	}
	keys, values := newPanels(e.level, k.Cols, n), newPanels(e.level, n, v.Cols)
	mr := e.level.Gemm.Tiles[0].MR
	width := n + stripPad
	// A strip's rows of q and out lie close together here; in the matrices, where heads alternate, they are often a power of two apart.
	stride := t.HeadSize + stripPad
	memory := e.Borrow(keys.size() + values.size() + mr*(width+2*stride))
	defer e.Return(memory)
	rest := keys.place(values.place(memory))
	left, sum, weights := rest[:mr*stride], rest[mr*stride:2*mr*stride], rest[2*mr*stride:]
	keys.copyT(k.RowRange(0, n))
	values.copy(v.RowRange(0, n))
	var sums [maxStrip]float32
	strips := ceilDiv(p.to-p.from, mr)
	for s := range strips {
		from, to := p.from+(p.to-p.from)*s/strips, p.from+(p.to-p.from)*(s+1)/strips
		w := Matrix{Rows: to - from, Cols: t.seen(to, n), Stride: width, Data: weights}
		a, o := Matrix{w.Rows, t.HeadSize, stride, left}, Matrix{w.Rows, t.HeadSize, stride, sum}
		copyRows(a, q.RowRange(from, to))
		t.weigh(w, a, from, &keys, biasRow(t.Bias, p), &sums)
		clearRows(o)
		values.multiplyAdd(o, w)
		for r := range o.Rows {
			row := o.Row(r)
			// A key that a query does not see has weight 0, which changes nothing but where the value is not finite.
			if seen := t.seen(from+r+1, w.Cols); seen < w.Cols {
				if sum := e.SumRow(row); sum != sum {
					clear(row)
					values.multiplyAdd(o.RowRange(r, r+1), w.Range(r, r+1, 0, seen))
				}
			}
			e.level.Elem.Scale(out.Row(from+r), row, 1/sums[r])
		}
	}
}

func copyRows(dst, m Matrix) {
	for r := range m.Rows {
		copy(dst.Row(r), m.Row(r))
	}
}
