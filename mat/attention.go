package mat

import "fmt"

// Attention is the shape of an attention over ragged sequences. Head h of a matrix is its columns h·HeadSize ≤ j < (h+1)·HeadSize.
// Sequence s has the rows Queries[s] ≤ i < Queries[s+1] of Q, and of K and V the rows Keys[s] ≤ j < Keys[s+1].
type Attention struct {
	Heads, HeadSize int
	Queries, Keys   []int

	// Causal says that query i of a sequence sees its keys 0 … i only.
	Causal bool

	// Bias is nil or has a matrix per sequence, which may be shared, with a row per head and an odd number of columns, 2n-1: what is added to the
	// score of a query i < n and a key j < n is element n-1-i+j.
	Bias []Matrix
}

// Attention sets out to softmax(Q·Kᵀ + bias)·V, head by head and sequence by sequence (Vaswani et al. 2017, eq. 1, without the scale). All
// matrices have Heads·HeadSize columns. out must not overlap the others. A sequence without keys gives zeros. A worker holds the
// scores of one tile of queries at a time.
func (e *Engine) Attention(out, q, k, v Matrix, a Attention) {
	a.check(out, q, k, v)
	t, ok := e.attentions.take()
	if !ok {
		t = &attentionTask{engine: e}
	}
	t.Attention, t.out, t.q, t.k, t.v = a, out, q, k, v
	e.Run((len(a.Queries)-1)*a.Heads, t)
	*t = attentionTask{engine: e}
	e.attentions.put(t)
}

func (a *Attention) check(out, q, k, v Matrix) {
	width, rows, keys := a.Heads*a.HeadSize, a.Queries[len(a.Queries)-1], a.Keys[len(a.Keys)-1]
	if q.Rows != rows || out.Rows != rows || k.Rows != keys || v.Rows != keys || q.Cols != width || out.Cols != width || k.Cols != width || v.Cols != width {
		panic(fmt.Sprintf("mat: attention of %d queries and %d keys, %d heads of %d, over %s, %s, %s into %s",
			rows, keys, a.Heads, a.HeadSize, q.Shape(), k.Shape(), v.Shape(), out.Shape()))
	}
	n := len(a.Queries) - 1
	if len(a.Keys) != n+1 || a.Bias != nil && len(a.Bias) != n {
		panic(fmt.Sprintf("mat: attention of %d sequences of queries, %d of keys, %d biases", n, len(a.Keys)-1, len(a.Bias)))
	}
	for s, b := range a.Bias {
		if longest := max(a.Queries[s+1]-a.Queries[s], a.Keys[s+1]-a.Keys[s]); b.Rows != a.Heads || b.Cols < 2*longest-1 || b.Cols%2 == 0 {
			panic(fmt.Sprintf("mat: attention of %d heads over %d positions with a bias of %s", a.Heads, longest, b.Shape()))
		}
	}
	if out.overlaps(q) || out.overlaps(k) || out.overlaps(v) {
		panic(fmt.Sprintf("mat: attention over %s, %s, %s into %s, which overlaps one of them", q.Shape(), k.Shape(), v.Shape(), out.Shape()))
	}
	raceRead(q)
	raceRead(k)
	raceRead(v)
	raceWrite(out)
}

// attentionTask is an attention in progress; its parts are the heads of the sequences.
type attentionTask struct {
	Attention
	engine       *Engine
	out, q, k, v Matrix
}

// Do implements Task.
func (t *attentionTask) Do(i int) {
	s, h := i/t.Heads, i%t.Heads
	c0, c1 := h*t.HeadSize, (h+1)*t.HeadSize
	q, out := t.q.Range(t.Queries[s], t.Queries[s+1], c0, c1), t.out.Range(t.Queries[s], t.Queries[s+1], c0, c1)
	k, v := t.k.Range(t.Keys[s], t.Keys[s+1], c0, c1), t.v.Range(t.Keys[s], t.Keys[s+1], c0, c1)
	if k.Rows == 0 {
		for r := range out.Rows {
			clear(out.Row(r))
		}
		return
	}
	e := t.engine
	keys, values := newPanels(e.level, k.Cols, k.Rows), newPanels(e.level, v.Rows, v.Cols)
	mr := e.level.Gemm.Tiles[0].MR
	width := k.Rows + stripPad
	memory := e.Borrow(keys.size() + values.size() + mr*width)
	defer e.Return(memory)
	keys.data, values.data = memory[:keys.size()], memory[keys.size():]
	keys.copyT(k)
	values.copy(v)
	scores := memory[keys.size()+values.size():]
	strips := ceilDiv(q.Rows, mr)
	for strip := range strips {
		from, to := q.Rows*strip/strips, q.Rows*(strip+1)/strips
		seen := k.Rows
		if t.Causal {
			seen = min(to, seen)
		}
		p := Matrix{Rows: to - from, Cols: seen, Stride: width, Data: scores}
		keys.multiply(p, q.RowRange(from, to))
		for i := from; i < to; i++ {
			row := p.Row(i - from)
			if t.Causal && i+1 < seen {
				clear(row[i+1:])
				row = row[:i+1]
			}
			if t.Bias != nil {
				b := t.Bias[s].Row(h)
				e.AddRow(row, b[len(b)/2-i:][:len(row)])
			}
			e.SoftmaxRow(row)
		}
		values.multiply(out.RowRange(from, to), p)
	}
}
