package mat

import "unsafe"

// few computes one part of Attention whose rows, the queries of all heads that use one head of K and V, are few, as in decoding with a cache.
// To lay out all keys and values would cost more than the products: so keys are laid out a few at a time, in the first-level cache, and
// values are read where they lie. The chains are those of forward.
func (t *attentionTask) few(p attentionPart) {
	e, s, d := t.engine, p.sequence, t.HeadSize
	queries := p.to - p.from
	rows := queries * t.group()
	k, v := t.keysOf(s)
	first, _ := t.sees(s, p.from, k.Rows)
	_, end := t.sees(s, p.to-1, k.Rows)
	n := end - first
	k, v = t.head(k, p.kvHead).RowRange(first, end), t.head(v, p.kvHead).RowRange(first, end)

	mr, nr := e.level.Gemm.Tiles[0].MR, e.level.Gemm.Tiles[0].NR
	chunk := max(1, fewValues/d/nr) * nr // of keys
	width, stride := n+stripPad, d+stripPad
	memory := e.Borrow(d*chunk + rows*(width+2*stride))
	defer e.Return(memory)
	carve := func(cols, stride int) Matrix {
		m := Matrix{Rows: rows, Cols: cols, Stride: stride, Data: memory[:rows*stride]}
		memory = memory[rows*stride:]
		return m
	}
	q, o, w := carve(d, stride), carve(d, stride), carve(n, width)
	each := func(f func(r, h, i int)) {
		for r := range rows {
			f(r, p.kvHead*t.group()+r/queries, p.from+r%queries)
		}
	}
	each(func(r, h, i int) { t.scaled(q.RowRange(r, r+1), t.head(t.queriesOf(t.q, s), h).RowRange(i, i+1)) })
	for j := 0; j < n; j += chunk {
		keys := newPanels(e.level, d, min(chunk, n-j))
		keys.place(memory)
		keys.copyT(k.RowRange(j, j+keys.n))
		for r := 0; r < rows; r += mr {
			next := min(r+mr, rows)
			keys.multiply(w.Range(r, next, j, j+keys.n), q.RowRange(r, next), 0)
		}
	}
	var sums [fewStrips * maxStrip]float32
	each(func(r, h, i int) { sums[r] = t.weighRow(w.Row(r), strip{s, h, i, first}, first) })
	clearRows(o)
	e.weighted(o, w, v, first)
	each(func(r, h, i int) {
		row := o.Row(r)
		if from, to := t.sees(s, i, end); from > first || to < end {
			if sum := e.SumRow(row); sum != sum {
				clear(row)
				e.weighted(o.RowRange(r, r+1), w.Range(r, r+1, from-first, to-first), v.RowRange(from-first, to-first), from)
			}
		}
		e.level.Elem.Scale(t.head(t.queriesOf(t.out, s), h).Row(i), row, 1/sums[r])
	})
}

const (
	// fewValues is how many values of keys are laid out at a time.
	fewValues = 4096
	// fewStrips is how many strips of the widest kernel the rows of few make up at most.
	fewStrips = 3
	// fewColumns is how long a head is at most, which keeps the calls of kernels short.
	fewColumns = 256
)

// isFew reports whether few computes the part.
func (t *attentionTask) isFew(p attentionPart) bool {
	tiles, d := t.engine.level.Gemm.Tiles, t.HeadSize
	return d > 0 && d <= fewColumns && d%tiles[len(tiles)-1].NR == 0 && (p.to-p.from)*t.group() <= fewStrips*tiles[0].MR
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
