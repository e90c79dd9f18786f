package mat

// maxStrip is at least the number of rows of the widest kernel of any level.
const maxStrip = 16

// forward computes one part of Attention.
func (t *attentionTask) forward(p attentionPart) {
	e, s, d := t.engine, p.sequence, t.HeadSize
	q, out := t.queriesOf(t.q, s).RowRange(p.from, p.to), t.queriesOf(t.out, s).RowRange(p.from, p.to)
	if q.Rows == 0 {
		return
	}
	first, _ := t.sees(s, p.from, t.keyCount(s))
	_, end := t.sees(s, p.to-1, t.keyCount(s))
	if end == 0 {
		clearRows(out.ColRange(p.kvHead*t.group()*d, (p.kvHead+p.kvHeads)*t.group()*d))
		return
	}
	if t.isFew(s) {
		t.few(p, first, end)
		return
	}
	base := first / kBlock * kBlock
	n := end - base
	mr := e.level.Gemm.Tiles[0].MR
	width := n + stripPad
	// A strip's rows of q and out lie close together here; in the matrices, where heads alternate, they are often a power of two apart.
	stride := d + stripPad
	memory := e.Borrow(mr * (width + 2*stride))
	defer e.Return(memory)
	left, sum, weights := memory[:mr*stride], memory[mr*stride:2*mr*stride], memory[2*mr*stride:]
	var keys, values panels
	if t.caches != nil {
		keys, values = t.caches[s].operands(p.kvHead, base, base, end)
	} else {
		keys, values = newPanels(e.level, d, n), newPanels(e.level, n, d)
		memory := e.Borrow(keys.size() + values.size())
		defer e.Return(memory)
		keys.place(values.place(memory))
		keys.copyT(t.head(t.keysOf(t.k, s), p.kvHead).RowRange(base, end))
		values.copy(t.head(t.keysOf(t.v, s), p.kvHead).RowRange(base, end))
	}
	strips := ceilDiv(q.Rows, mr)
	for h := p.kvHead * t.group(); h < (p.kvHead+1)*t.group(); h++ {
		q, out := t.head(q, h), t.head(out, h)
		for i := range strips {
			from, to := q.Rows*i/strips, q.Rows*(i+1)/strips
			first, _ := t.sees(s, p.from+from, end)
			_, last := t.sees(s, p.from+to-1, end)
			w := Matrix{Rows: to - from, Cols: last - base, Stride: width, Data: weights}
			a, o := Matrix{w.Rows, d, stride, left}, Matrix{w.Rows, d, stride, sum}
			t.scaled(a, q.RowRange(from, to))
			t.attend(out.RowRange(from, to), o, w, a, strip{s, h, p.from + from, first / kBlock * kBlock}, base, &keys, &values)
		}
	}
}

// attend computes the results of a strip, whose scaled queries are q; keys and values begin at base, and w and o are for its weights and sums.
func (t *attentionTask) attend(out, o, w, q Matrix, p strip, base int, keys, values *panels) {
	e := t.engine
	var sums [maxStrip]float32
	t.weigh(w, q, p, base, keys, &sums)
	clearRows(o)
	start := p.start - base
	values.multiplyAdd(o, w.ColRange(start, w.Cols), start)
	for r := range o.Rows {
		row := o.Row(r)
		// A key that a query does not see has weight 0, which changes nothing but where the value is not finite.
		from, to := t.sees(p.sequence, p.i+r, base+w.Cols)
		if from, to = from-base, to-base; from > start || to < w.Cols {
			if sum := e.SumRow(row); sum != sum {
				clear(row)
				values.multiplyAdd(o.RowRange(r, r+1), w.Range(r, r+1, from, to), from)
			}
		}
		e.level.Elem.Scale(out.Row(r), row, 1/sums[r])
	}
}

// scaled sets dst to the queries q times the scale.
func (t *attentionTask) scaled(dst, q Matrix) {
	if t.Scale == 1 && q.Rows > 0 && q.Cols > 0 {
		t.engine.level.Gemm.Copy(&dst.Data[0], dst.Stride, &q.Data[0], q.Stride, q.Rows, q.Cols)
		return
	}
	for r := range q.Rows {
		t.engine.level.Elem.Scale(dst.Row(r), q.Row(r), t.Scale)
	}
}
