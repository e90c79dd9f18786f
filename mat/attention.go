package mat

import (
	"fmt"
	"unsafe"
)

// Attention is the shape of an attention over ragged sequences. Head h of a matrix is its columns h·HeadSize ≤ j < (h+1)·HeadSize.
// Sequence s has the rows Queries[s] ≤ i < Queries[s+1] of Q, and of K and V the rows Keys[s] ≤ j < Keys[s+1].
type Attention struct {
	Heads, HeadSize int
	Queries, Keys   []int

	// KVHeads is how many heads K and V have, a divisor of Heads; 0 means Heads. Head h of Q uses head h/(Heads/KVHeads) of K and V.
	KVHeads int

	// Offsets is nil or has the position of the first query of every sequence, which is otherwise 0: query i of sequence s stands at the position
	// Offsets[s]+i, key j at j.
	Offsets []int

	// Causal says that a query sees the keys up to its own position only.
	Causal bool

	// Window is 0, or how many keys a causal query sees: the last ones up to its position, for which there must be keys.
	Window int

	// Scale is what scores are multiplied by, often 1/√HeadSize; 0 means 1.
	Scale float32

	// Bias is nil or has a matrix per sequence, which may be shared, with a row per head and an odd number of columns, 2n-1: what is added to the
	// score of a query at position i < n and a key j < n is element n-1-i+j.
	Bias []Matrix
}

// Attention sets out to softmax(scale·Q·Kᵀ + bias)·V, head by head and sequence by sequence (Vaswani et al. 2017, eq. 1). Q and out have
// Heads·HeadSize columns, K and V KVHeads·HeadSize. out must not overlap the others. A sequence without keys gives zeros. A worker holds
// the scores of a few queries at a time, as many as a kernel has rows.
//
// The result of a query depends on its own row and on the keys and values that it sees, and on nothing else; not on how queries are
// grouped, nor on what follows in the sequence, nor on where keys and values lie:
//
//	s_j = (scale·q)·k_j         a chain over the head, in blocks of 512, from zero; each element of scale·q is rounded
//	s_j = s_j + bias_j
//	e_j = exp(s_j - max s)      0 below e⁻⁶⁹
//	out = (Σ_j e_j·v_j)·(1/Σe)  left: chains over the keys in blocks of 512 from position 0 on, the blocks added to +0 in ascending order;
//	                            right: one exact division of a sum in 32 lanes and one tree, as Softmax's, of the keys that are seen
//
// NaN or +Inf among the scores that a query sees makes its result NaN, and so do scores that are all -Inf. A single -Inf gives the key
// the weight 0, which makes NaN of a value that is not finite.
func (e *Engine) Attention(out, q, k, v Matrix, a Attention) {
	t := e.attention(a)
	t.k, t.v = k, v
	t.start(out, q)
}

// AttentionCached is Attention over keys and values that lie in a matrix for every sequence, a row for each position, and several sequences may
// share one: a.Keys is nil, and every row of k[s] and v[s] is there for sequence s.
func (e *Engine) AttentionCached(out, q Matrix, k, v []Matrix, a Attention) {
	if a.Keys != nil || len(k) != len(a.Queries)-1 || len(v) != len(k) {
		panic(fmt.Sprintf("mat: attention of %d sequences of queries over %d caches of keys and %d of values, and offsets of %d", len(a.Queries)-1, len(k), len(v), len(a.Keys)))
	}
	t := e.attention(a)
	t.ks, t.vs = k, v
	t.start(out, q)
}

// join makes one sequence of those next to each other that share keys and values, as the beams of a search do, where a query's result does not
// depend on the sequence otherwise: its keys and values are then laid out and read once.
func (t *attentionTask) join() {
	if t.ks == nil || t.Causal || t.Bias != nil {
		return
	}
	j := &t.joined
	j.queries = append(j.queries[:0], 0)
	for s := range t.sequences() {
		if n := len(j.ks) - 1; n >= 0 && sameView(j.ks[n], t.ks[s]) && sameView(j.vs[n], t.vs[s]) {
			j.queries[n+1] = t.Queries[s+1]
			continue
		}
		j.queries, j.ks, j.vs = append(j.queries, t.Queries[s+1]), append(j.ks, t.ks[s]), append(j.vs, t.vs[s])
	}
	t.Queries, t.Offsets, t.ks, t.vs = j.queries, nil, j.ks, j.vs
}

func sameView(a, b Matrix) bool {
	return a.Rows == b.Rows && a.Cols == b.Cols && a.Stride == b.Stride && unsafe.SliceData(a.Data) == unsafe.SliceData(b.Data)
}

// start checks the operands of a way forward and runs it.
func (t *attentionTask) start(out, q Matrix) {
	t.out, t.q, t.do = out, q, (*attentionTask).forward
	t.check()
	t.checkLike("result", out, q)
	for s := range t.sequences() {
		k, v := t.keysOf(s)
		for _, m := range []Matrix{t.queriesOf(q, s), k, v} {
			if out.overlaps(m) {
				panic(fmt.Sprintf("mat: attention over %s into %s, which overlaps it", m.Shape(), out.Shape()))
			}
			raceRead(m)
		}
	}
	raceWrite(out)
	t.join()
	t.split(8 * t.engine.level.Gemm.Tiles[0].MR)
	t.run()
}

// check panics where the shape and the operands do not fit, and sets what is left out of the shape.
func (t *attentionTask) check() {
	n := t.sequences()
	if t.ks == nil && len(t.Keys) != n+1 || t.Bias != nil && len(t.Bias) != n || t.Offsets != nil && len(t.Offsets) != n {
		panic(fmt.Sprintf("mat: attention of %d sequences of queries, %d of keys, %d biases, %d offsets", n, len(t.Keys)-1, len(t.Bias), len(t.Offsets)))
	}
	if t.KVHeads == 0 {
		t.KVHeads = t.Heads
	}
	if t.Scale == 0 {
		t.Scale = 1
	}
	if t.KVHeads < 0 || t.KVHeads > 0 && t.Heads%t.KVHeads != 0 {
		panic(fmt.Sprintf("mat: attention of %d heads over %d of keys", t.Heads, t.KVHeads))
	}
	if t.Window < 0 || t.Window > 0 && !t.Causal {
		panic(fmt.Sprintf("mat: attention in a window of %d, causal %t", t.Window, t.Causal))
	}
	if t.q.Rows != t.Queries[n] || t.q.Cols != t.Heads*t.HeadSize {
		panic(fmt.Sprintf("mat: attention of %d queries, %d heads of %d, over %s", t.Queries[n], t.Heads, t.HeadSize, t.q.Shape()))
	}
	width := t.KVHeads * t.HeadSize
	if t.ks == nil && (t.k.Rows != t.Keys[n] || t.v.Rows != t.Keys[n] || t.k.Cols != width || t.v.Cols != width) {
		panic(fmt.Sprintf("mat: attention of %d keys, %d heads of %d, over %s and %s", t.Keys[n], t.KVHeads, t.HeadSize, t.k.Shape(), t.v.Shape()))
	}
	for s := range n {
		k, v := t.keysOf(s)
		if k.Rows != v.Rows || k.Cols != width || v.Cols != width {
			panic(fmt.Sprintf("mat: attention of %d heads of %d, over %s and %s", t.KVHeads, t.HeadSize, k.Shape(), v.Shape()))
		}
		if end := t.position(s, t.queryCount(s)); t.position(s, 0) < 0 || t.Window > 0 && end > k.Rows {
			panic(fmt.Sprintf("mat: attention in a window of %d up to position %d over %d keys", t.Window, end-1, k.Rows))
		}
	}
	t.checkBias(t.Bias)
}

func (t *attentionTask) checkBias(bias []Matrix) {
	for s, b := range bias {
		k, _ := t.keysOf(s)
		if longest := max(t.position(s, t.queryCount(s)), k.Rows); b.Rows != t.Heads || b.Cols < 2*longest-1 || b.Cols%2 == 0 {
			panic(fmt.Sprintf("mat: attention of %d heads over %d positions with a bias of %s", t.Heads, longest, b.Shape()))
		}
	}
}

func (t *attentionTask) checkLike(what string, m, like Matrix) {
	if m.Rows != like.Rows || m.Cols != like.Cols {
		panic(fmt.Sprintf("mat: attention: %s of %s, want %s", what, m.Shape(), like.Shape()))
	}
}

// attentionTask is an attention in progress, in either direction. Tasks are reused.
type attentionTask struct {
	Attention
	engine       *Engine
	out, q, k, v Matrix
	ks, vs       []Matrix           // instead of k and v, a matrix per sequence
	dOut         Matrix             // going back
	gradients    AttentionGradients // going back
	do           func(*attentionTask, attentionPart)
	parts        []attentionPart
	work         int // scores of all parts
	joined       joined
}

// joined are sequences that join made.
type joined struct {
	queries []int
	ks, vs  []Matrix
}

// An attentionPart is what one worker computes: the queries from ≤ i < to of a sequence, in the heads that use one head of K and V.
type attentionPart struct{ sequence, kvHead, from, to int }

// attention returns a task without parts.
func (e *Engine) attention(a Attention) *attentionTask {
	t, ok := e.attentions.take()
	if !ok {
		t = &attentionTask{}
	}
	t.Attention, t.engine = a, e
	return t
}

// layRows is how many rows of queries take about as long as their keys' way into the kernels does.
const layRows = 32

// split sets the parts: the heads of the sequences, cut into pieces of at least the given number of queries where there would be too few
// or one would hold up the others. Every part lays out its keys and values anew, which a piece that is not small hides.
func (t *attentionTask) split(least int) {
	cost := func(s int) int {
		k, _ := t.keysOf(s)
		return max(t.Heads*t.queryCount(s), t.KVHeads*layRows) * k.Rows
	}
	for s := range t.sequences() {
		t.work += cost(s)
	}
	share := t.work
	if t.engine.threads > 1 {
		share = t.work / (t.engine.threads * partsPerThread)
	}
	for s := range t.sequences() {
		queries := t.queryCount(s)
		pieces := max(1, min(queries/least, ceilDiv(cost(s)/max(1, t.KVHeads), max(1, share))))
		for h := range t.KVHeads {
			for p := range pieces {
				t.parts = append(t.parts, attentionPart{s, h, queries * p / pieces, queries * (p + 1) / pieces})
			}
		}
	}
}

// run does the parts and gives the task back.
func (t *attentionTask) run() {
	if t.work*t.HeadSize < shareMACs {
		for i := range t.parts {
			t.Do(i)
		}
	} else {
		t.engine.Run(len(t.parts), t)
	}
	e, j := t.engine, t.joined
	clear(j.ks)
	clear(j.vs)
	*t = attentionTask{parts: t.parts[:0], joined: joined{j.queries[:0], j.ks[:0], j.vs[:0]}}
	e.attentions.put(t)
}

// Do implements Task.
func (t *attentionTask) Do(i int) { t.do(t, t.parts[i]) }

func (t *attentionTask) sequences() int { return len(t.Queries) - 1 }

func (t *attentionTask) queryCount(s int) int { return t.Queries[s+1] - t.Queries[s] }

// position is that of query i of sequence s.
func (t *attentionTask) position(s, i int) int {
	if t.Offsets == nil {
		return i
	}
	return t.Offsets[s] + i
}

// group is how many heads of Q use one of K and V.
func (t *attentionTask) group() int { return t.Heads / t.KVHeads }

// queriesOf returns the rows of m, one of the matrices with a row per query, that belong to a sequence.
func (t *attentionTask) queriesOf(m Matrix, s int) Matrix {
	return m.RowRange(t.Queries[s], t.Queries[s+1])
}

// keysOf returns the keys and values of a sequence.
func (t *attentionTask) keysOf(s int) (k, v Matrix) {
	if t.ks != nil {
		return t.ks[s], t.vs[s]
	}
	return t.k.RowRange(t.Keys[s], t.Keys[s+1]), t.v.RowRange(t.Keys[s], t.Keys[s+1])
}

// head returns the columns of head h in m.
func (t *attentionTask) head(m Matrix, h int) Matrix {
	return m.ColRange(h*t.HeadSize, (h+1)*t.HeadSize)
}

// sees returns which of the keys from ≤ j < to of n query i of a sequence sees.
func (t *attentionTask) sees(s, i, n int) (from, to int) {
	if !t.Causal {
		return 0, n
	}
	to = min(t.position(s, i)+1, n)
	if t.Window > 0 {
		from = max(0, to-t.Window)
	}
	return from, to
}

// A strip is a few queries of a head of a sequence, from query i on, and the first key of the block in which those begin that it sees.
type strip struct{ sequence, head, i, start int }

// weigh sets each row of w, which has a column for every key from base on, to exp(scores - their maximum), with 0 for keys from the strip's
// start on that the query does not see, and sums to the rows' sums. q holds the scaled queries.
func (t *attentionTask) weigh(w, q Matrix, p strip, base int, keys *panels, sums *[maxStrip]float32) {
	keys.multiply(w.ColRange(p.start-base, w.Cols), q, p.start-base)
	for r := range w.Rows {
		p := p
		p.i += r
		sums[r] = t.weighRow(w.Row(r), p, base)
	}
}

// weighRow is weigh for one row, whose scores are there but for the bias, and returns its sum.
func (t *attentionTask) weighRow(row []float32, p strip, base int) float32 {
	from, to := t.sees(p.sequence, p.i, base+len(row))
	clear(row[p.start-base : from-base])
	clear(row[to-base:])
	row = row[from-base : to-base]
	if bias := biasRow(t.Bias, p); bias != nil {
		t.engine.AddRow(row, bias[len(bias)/2-t.position(p.sequence, p.i)+from:][:len(row)])
	}
	return t.engine.expRow(row)
}

// expRow sets x to exp(x - max x), with 0 below e⁻⁶⁹, and returns its sum, with Softmax's arithmetic.
func (e *Engine) expRow(x []float32) float32 {
	const scale = 0x1p-64 // the kernel's terms are multiplied by 2⁶⁴
	m := e.MaxRow(x)
	var sum float32
	for i := 0; i < len(x); i += rowBlock {
		b := x[i:min(i+rowBlock, len(x))]
		sum += e.level.Elem.ExpSum(b, b, m)
		e.ScaleRow(b, scale)
	}
	return sum * scale
}

// biasRow returns the strip's row of one of the biases, nil where there are none.
func biasRow(biases []Matrix, p strip) []float32 {
	if biases == nil {
		return nil
	}
	return biases[p.sequence].Row(p.head)
}

func clearRows(m Matrix) {
	for r := range m.Rows {
		clear(m.Row(r))
	}
}
