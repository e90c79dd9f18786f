package mat

import "unsafe"

const (
	// fewStrips is how many strips of the widest kernel the rows of few make up at most.
	fewStrips = 3
	// fewColumns is how long a head is at most, which keeps the calls of kernels short.
	fewColumns = 256
)

// isFew reports whether few computes the parts of a sequence: its rows, the queries of all heads that use one head of K and V, are few, as in
// decoding, and lie over a cache.
func (t *attentionTask) isFew(s int) bool {
	tiles, d := t.engine.level.Gemm.Tiles, t.HeadSize
	return t.caches != nil && d > 0 && d <= fewColumns && d%tiles[len(tiles)-1].NR == 0 && t.queryCount(s)*t.group() <= fewStrips*tiles[0].MR
}

// A fewPart is a part of Attention that reads all operands, and writes the result, where they lie. The chains are those of forward.
type fewPart struct {
	*attentionTask
	sequence         int
	base, first, end int    // the queries see keys first ≤ j < end; base is where the panel of the first one begins
	keys             panels // of the head at work, from base to end
	values           Matrix // of the head at work, from first to end
	weights          Matrix // a row for each row at work, a column for each key
}

// few computes one part, all queries of a sequence in some heads, which see the keys first ≤ j < end.
func (t *attentionTask) few(p attentionPart, first, end int) {
	s, d, group, cache := p.sequence, t.HeadSize, t.group(), t.caches[p.sequence]
	from, to := p.kvHead*group*d, (p.kvHead+p.kvHeads)*group*d
	q, out := t.queriesOf(t.q, s).ColRange(from, to), t.queriesOf(t.out, s).ColRange(from, to)
	f := fewPart{attentionTask: t, sequence: s, base: first / cache.nr() * cache.nr(), first: first, end: end}
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
	for h := range p.kvHeads {
		f.keys, f.values = cache.keysOf(p.kvHead+h, f.base, end), cache.valuesOf(p.kvHead+h).RowRange(first, end)
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
	w := f.weights.RowRange(0, q.Rows)
	for r := 0; r < q.Rows; r += mr {
		next := min(r+mr, q.Rows)
		f.keys.multiply(w.RowRange(r, next), q.RowRange(r, next), 0)
	}
	var sums [fewStrips * maxStrip]float32
	for r := range w.Rows {
		sums[r] = f.weighRow(w.Row(r), row(r), f.base)
	}
	clearRows(out)
	w = w.ColRange(f.first-f.base, w.Cols)
	e.weighted(out, w, f.values, f.first)
	for r := range out.Rows {
		o := out.Row(r)
		if from, to := f.sees(f.sequence, row(r).i, f.end); from > f.first || to < f.end {
			if sum := e.SumRow(o); sum != sum {
				clear(o)
				from, to = from-f.first, to-f.first
				e.weighted(out.RowRange(r, r+1), w.Range(r, r+1, from, to), f.values.RowRange(from, to), f.first+from)
			}
		}
		e.level.Elem.Scale(o, o, 1/sums[r])
	}
}

// weighted adds w·v to sums. The rows of v are keys from position first on, and columns as many as whole panels of the kernels.
func (e *Engine) weighted(sums, w, v Matrix, first int) {
	for l, kc := 0, 0; l < v.Rows; l += kc {
		kc = min(v.Rows-l, kBlock-(first+l)%kBlock)
		col := 0
		for i := range e.level.Gemm.Tiles {
			tile := &e.level.Gemm.Tiles[i]
			count := (v.Cols - col) / tile.NR
			if count == 0 {
				continue
			}
			for r, mr := 0, e.level.Gemm.Tiles[0].MR; r < w.Rows; r += mr {
				tile.Strip(min(mr, w.Rows-r), kc, count, &w.Data[r*w.Stride+l], w.Stride, unsafe.Pointer(&v.Data[l*v.Stride+col]), v.Stride, tile.NR,
					&sums.Data[r*sums.Stride+col], sums.Stride, tile.NR, true)
			}
			col += count * tile.NR
		}
	}
}
