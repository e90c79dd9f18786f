package mat

import "fmt"

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

// AttentionCached is Attention over keys and values that lie in a cache for every sequence, and several sequences may share one: a.Keys is nil, and
// every position of caches[s] is there for sequence s.
func (e *Engine) AttentionCached(out, q Matrix, caches []*Cache, a Attention) {
	e.attentionCached(caches, a).start(out, q)
}

// attentionCached returns a task over caches without parts.
func (e *Engine) attentionCached(caches []*Cache, a Attention) *attentionTask {
	if a.Keys != nil || len(caches) != len(a.Queries)-1 {
		panic(fmt.Sprintf("mat: attention of %d sequences of queries over %d caches, and offsets of %d", len(a.Queries)-1, len(caches), len(a.Keys)))
	}
	t := e.attention(a)
	if t.caches = caches; caches == nil {
		t.caches = []*Cache{} // of no sequence; nil is for keys in a matrix
	}
	return t
}

// join makes one sequence of those next to each other that share a cache, as the beams of a search do, where a query's result does not depend on the
// sequence otherwise: its keys and values are then read once.
func (t *attentionTask) join() {
	if t.caches == nil || t.appends || t.Causal || t.Bias != nil {
		return
	}
	j := &t.joined
	j.queries = append(j.queries[:0], 0)
	for s, c := range t.caches {
		if n := len(j.caches) - 1; n >= 0 && j.caches[n] == c {
			j.queries[n+1] = t.Queries[s+1]
			continue
		}
		j.queries, j.caches = append(j.queries, t.Queries[s+1]), append(j.caches, c)
	}
	t.Queries, t.Offsets, t.caches = j.queries, nil, j.caches
}

// start checks the operands of a way forward and runs it.
func (t *attentionTask) start(out, q Matrix) {
	t.out, t.q, t.do = out, q, (*attentionTask).forward
	t.check()
	t.checkLike("result", out, q)
	for _, m := range []Matrix{q, t.k, t.v} {
		if out.overlaps(m) {
			panic(fmt.Sprintf("mat: attention over %s into %s, which overlaps it", m.Shape(), out.Shape()))
		}
		raceRead(m)
	}
	for _, c := range t.caches {
		if t.appends {
			raceWrite(View(c.values, 1, len(c.values)))
		} else {
			raceRead(View(c.values, 1, len(c.values)))
		}
	}
	raceWrite(out)
	if t.appends {
		t.append()
	}
	t.join()
	least := t.engine.level.Gemm.Tiles[0].MR
	if t.caches == nil {
		least *= 8
	}
	t.split(least)
	t.run()
}

// check panics where the shape and the operands do not fit, and sets what is left out of the shape.
func (t *attentionTask) check() {
	n := t.sequences()
	if t.caches == nil && len(t.Keys) != n+1 || t.Bias != nil && len(t.Bias) != n || t.Offsets != nil && len(t.Offsets) != n {
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
	if t.appends && t.k.Rows != t.Queries[n] {
		panic(fmt.Sprintf("mat: attention of %d queries, appending keys of %s", t.Queries[n], t.k.Shape()))
	}
	if t.caches == nil && (t.k.Rows != t.Keys[n] || t.v.Rows != t.Keys[n] || t.k.Cols != width || t.v.Cols != width) {
		panic(fmt.Sprintf("mat: attention of %d keys, %d heads of %d, over %s and %s", t.Keys[n], t.KVHeads, t.HeadSize, t.k.Shape(), t.v.Shape()))
	}
	for _, c := range t.caches {
		if c.heads != t.KVHeads || c.headSize != t.HeadSize || c.level != t.engine.level {
			panic(fmt.Sprintf("mat: attention of %d heads of %d on %s, over a cache of %d heads of %d for %s",
				t.KVHeads, t.HeadSize, t.engine.level.Name, c.heads, c.headSize, c.level.Name))
		}
	}
	for s := range n {
		if end := t.position(s, t.queryCount(s)); t.position(s, 0) < 0 || t.Window > 0 && end > t.keyCount(s) {
			panic(fmt.Sprintf("mat: attention in a window of %d up to position %d over %d keys", t.Window, end-1, t.keyCount(s)))
		}
	}
	t.checkBias(t.Bias)
}

func (t *attentionTask) checkBias(bias []Matrix) {
	for s, b := range bias {
		if longest := max(t.position(s, t.queryCount(s)), t.keyCount(s)); b.Rows != t.Heads || b.Cols < 2*longest-1 || b.Cols%2 == 0 {
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
	caches       []*Cache           // instead of k and v, of each sequence,
	appends      bool               // or which k and v are appended to
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
	caches  []*Cache
}

// An attentionPart is what one worker computes: the queries from ≤ i < to of a sequence, in the heads that use kvHeads heads of K and V, the first
// of them kvHead. Only few takes several.
type attentionPart struct{ sequence, kvHead, kvHeads, from, to int }

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
// or one would hold up the others. Every part lays out its keys and values anew, which a piece that is not small hides, but for those of a cache.
func (t *attentionTask) split(least int) {
	for s := range t.sequences() {
		t.work += t.cost(s)
	}
	share := t.work
	if t.engine.threads > 1 {
		share = t.work / (t.engine.threads * partsPerThread)
	}
	for s := range t.sequences() {
		queries, shares := t.queryCount(s), ceilDiv(t.cost(s), max(1, share))
		if t.isFew(s) {
			for p, parts := 0, min(t.KVHeads, shares); p < parts; p++ {
				h := t.KVHeads * p / parts
				t.parts = append(t.parts, attentionPart{s, h, t.KVHeads*(p+1)/parts - h, 0, queries})
			}
			continue
		}
		pieces := max(1, min(queries/least, ceilDiv(shares, max(1, t.KVHeads))))
		for h := range t.KVHeads {
			for p := range pieces {
				t.parts = append(t.parts, attentionPart{s, h, 1, queries * p / pieces, queries * (p + 1) / pieces})
			}
		}
	}
}

// cost is what a sequence takes, in scores of many queries.
func (t *attentionTask) cost(s int) int {
	least := layRows
	if t.isFew(s) {
		least = readRows
	}
	return max(t.Heads*t.queryCount(s), t.KVHeads*least) * t.keyCount(s)
}

// attentionMACs is the number of multiply-adds of scores from which on sharing pays: fewer than in a product, as keys and values often come from memory.
const attentionMACs = 1 << 17

// run does the parts and gives the task back.
func (t *attentionTask) run() {
	if t.work*t.HeadSize < attentionMACs {
		for i := range t.parts {
			t.Do(i)
		}
	} else {
		t.engine.Run(len(t.parts), t)
	}
	e, j := t.engine, t.joined
	clear(j.caches)
	*t = attentionTask{parts: t.parts[:0], joined: joined{j.queries[:0], j.caches[:0]}}
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

// keyCount is how many keys there are for a sequence.
func (t *attentionTask) keyCount(s int) int {
	if t.caches != nil {
		return t.caches[s].n
	}
	return t.Keys[s+1] - t.Keys[s]
}

// keysOf returns the rows of m, one of the matrices with a row per key, that belong to a sequence.
func (t *attentionTask) keysOf(m Matrix, s int) Matrix { return m.RowRange(t.Keys[s], t.Keys[s+1]) }

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
