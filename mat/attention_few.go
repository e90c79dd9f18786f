package mat

// fewStrips is how many strips of the widest kernel the rows of few make up at most.
const fewStrips = 3

// isFew reports whether few computes the parts of a sequence: its rows, the queries of all heads that use one head of K and V, are few, as in
// decoding, and its keys and values lie in a cache.
func (t *attentionTask) isFew(s int) bool {
	return t.caches != nil && t.queryCount(s)*t.group() <= fewStrips*t.engine.level.Gemm.Tiles[0].MR
}

// A fewPart is a part of Attention that reads all operands, and writes the result, where they lie. The chains are those of forward.
type fewPart struct {
	*attentionTask
	sequence     int
	base         int // position of the first of keys
	start        int // position of the first of values
	first, end   int // the queries see the keys first ≤ j < end
	keys, values panels
	weights      Matrix // a row for each row at work, a column for each of keys
}

// few computes one part, all queries of a sequence in some heads, which see the keys first ≤ j < end.
func (t *attentionTask) few(p attentionPart, first, end int) {
	s, d, group, cache := p.sequence, t.HeadSize, t.group(), t.caches[p.sequence]
	from, to := p.kvHead*group*d, (p.kvHead+p.kvHeads)*group*d
	q, out := t.queriesOf(t.q, s).ColRange(from, to), t.queriesOf(t.out, s).ColRange(from, to)
	f := fewPart{attentionTask: t, sequence: s, base: first / cache.nr() * cache.nr(), start: first / kBlock * kBlock, first: first, end: end}
	f.weights = Matrix{Rows: q.Rows * group, Cols: end - f.base, Stride: ceilDiv(end-f.base, stripPad)*stripPad + stripPad}
	size := f.weights.Rows * f.weights.Stride
	memory := t.engine.Borrow(size + q.Rows*q.Cols)
	defer t.engine.Return(memory)
	f.weights.Data = memory[:size]
	if t.Scale != 1 {
		scaled := View(memory[size:], q.Rows, q.Cols)
		t.scaled(scaled, q)
		q = scaled
	}
	if t.appends {
		t.put(p)
	}
	for h := range p.kvHeads {
		f.keys, f.values = cache.operands(p.kvHead+h, f.base, f.start, end)
		if group == 1 {
			f.attend(out.ColRange(h*d, (h+1)*d), q.ColRange(h*d, (h+1)*d), p.kvHead+h, 0)
			continue
		}
		for i := range q.Rows {
			heads := func(m Matrix) Matrix { return View(m.Row(i)[h*group*d:], group, d) }
			f.attend(heads(out), heads(q), (p.kvHead+h)*group, i)
		}
	}
}

// attend computes the results of rows that use one head of K and V: all queries of a head that has it for itself, or the heads of query i.
func (f *fewPart) attend(out, q Matrix, head, i int) {
	e, mr := f.engine, f.engine.level.Gemm.Tiles[0].MR
	row := func(r int) strip {
		if f.group() == 1 {
			return strip{f.sequence, head, r, f.base}
		}
		return strip{f.sequence, head + r, i, f.base}
	}
	clearRows(out)
	for r := 0; r < q.Rows; r += mr {
		next := min(r+mr, q.Rows)
		w := f.weights.RowRange(r, next)
		f.keys.multiply(w, q.RowRange(r, next), 0)
		var sums [maxStrip]float32
		for i := range w.Rows {
			sums[i] = f.weighRow(w.Row(i), row(r+i), f.base)
		}
		f.values.multiplyAdd(out.RowRange(r, next), w.ColRange(f.first-f.base, w.Cols), f.first-f.start)
		for i := range w.Rows {
			o := out.Row(r + i)
			if from, to := f.sees(f.sequence, row(r+i).i, f.end); from > f.first || to < f.end {
				if sum := e.SumRow(o); sum != sum {
					clear(o)
					f.values.multiplyAdd(out.RowRange(r+i, r+i+1), w.Range(i, i+1, from-f.base, to-f.base), from-f.start)
				}
			}
			e.level.Elem.Scale(o, o, 1/sums[i])
		}
	}
}
