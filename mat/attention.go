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
// scores of a few queries at a time, as many as a kernel has rows.
//
// The result of a query depends on its own row and on the keys and values that it sees, and on nothing else; not on how queries are
// grouped, nor on what follows in the sequence:
//
//	s_j = q·k_j                 a chain over the head, in blocks of 512, from zero
//	s_j = s_j + bias_j
//	e_j = exp(s_j - max s)      0 below e⁻⁶⁹
//	out = (Σ_j e_j·v_j)·(1/Σe)  left: chains over the keys in blocks of 512, the blocks added to +0 in ascending order;
//	                            right: one exact division of a sum in 32 lanes and one tree, as Softmax's
//
// NaN or +Inf among the scores that a query sees makes its result NaN, and so do scores that are all -Inf. A single -Inf gives the key
// the weight 0, which makes NaN of a value that is not finite.
func (e *Engine) Attention(out, q, k, v Matrix, a Attention) {
	a.check(q, k, v)
	a.checkLike("result", out, q)
	for _, m := range []Matrix{q, k, v} {
		if out.overlaps(m) {
			panic(fmt.Sprintf("mat: attention over %s, %s, %s into %s, which overlaps one of them", q.Shape(), k.Shape(), v.Shape(), out.Shape()))
		}
	}
	raceRead(q)
	raceRead(k)
	raceRead(v)
	raceWrite(out)
	t := e.attention(a)
	t.out, t.q, t.k, t.v, t.do = out, q, k, v, (*attentionTask).forward
	t.split(8 * e.level.Gemm.Tiles[0].MR)
	t.run()
}

func (a *Attention) check(q, k, v Matrix) {
	n := len(a.Queries) - 1
	if len(a.Keys) != n+1 || a.Bias != nil && len(a.Bias) != n {
		panic(fmt.Sprintf("mat: attention of %d sequences of queries, %d of keys, %d biases", n, len(a.Keys)-1, len(a.Bias)))
	}
	width, rows, keys := a.Heads*a.HeadSize, a.Queries[n], a.Keys[n]
	if q.Rows != rows || k.Rows != keys || v.Rows != keys || q.Cols != width || k.Cols != width || v.Cols != width {
		panic(fmt.Sprintf("mat: attention of %d queries and %d keys, %d heads of %d, over %s, %s, %s",
			rows, keys, a.Heads, a.HeadSize, q.Shape(), k.Shape(), v.Shape()))
	}
	a.checkBias(a.Bias)
}

func (a *Attention) checkBias(bias []Matrix) {
	for s, b := range bias {
		if longest := max(a.Queries[s+1]-a.Queries[s], a.Keys[s+1]-a.Keys[s]); b.Rows != a.Heads || b.Cols < 2*longest-1 || b.Cols%2 == 0 {
			panic(fmt.Sprintf("mat: attention of %d heads over %d positions with a bias of %s", a.Heads, longest, b.Shape()))
		}
	}
}

func (a *Attention) checkLike(what string, m, like Matrix) {
	if m.Rows != like.Rows || m.Cols != like.Cols {
		panic(fmt.Sprintf("mat: attention: %s of %s, want %s", what, m.Shape(), like.Shape()))
	}
}

// attentionTask is an attention in progress, in either direction. Tasks are reused.
type attentionTask struct {
	Attention
	engine       *Engine
	out, q, k, v Matrix
	dOut         Matrix             // going back
	gradients    AttentionGradients // going back
	do           func(*attentionTask, attentionPart)
	parts        []attentionPart
	work         int // scores of all parts
}

// An attentionPart is what one worker computes: the queries from ≤ i < to of a sequence, in one head.
type attentionPart struct{ sequence, head, from, to int }

// attention returns a task without parts.
func (e *Engine) attention(a Attention) *attentionTask {
	t, ok := e.attentions.take()
	if !ok {
		t = &attentionTask{}
	}
	t.Attention, t.engine = a, e
	return t
}

// split sets the parts: the heads of the sequences, cut into pieces of at least the given number of queries where there would be too few
// or one would hold up the others. Every part lays out its keys and values anew, which a piece that is not small hides.
func (t *attentionTask) split(least int) {
	for s := range len(t.Queries) - 1 {
		t.work += t.Heads * (t.Queries[s+1] - t.Queries[s]) * (t.Keys[s+1] - t.Keys[s])
	}
	share := t.work
	if t.engine.threads > 1 {
		share = t.work / (t.engine.threads * partsPerThread)
	}
	for s := range len(t.Queries) - 1 {
		queries, keys := t.Queries[s+1]-t.Queries[s], t.Keys[s+1]-t.Keys[s]
		pieces := max(1, min(queries/least, ceilDiv(queries*keys, max(1, share))))
		for h := range t.Heads {
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
	e := t.engine
	*t = attentionTask{parts: t.parts[:0]}
	e.attentions.put(t)
}

// Do implements Task.
func (t *attentionTask) Do(i int) { t.do(t, t.parts[i]) }

// queries and keys return the part's head and sequence in m, one of the matrices with a row per query or per key.
func (t *attentionTask) queries(m Matrix, p attentionPart) Matrix { return t.head(m, t.Queries, p) }
func (t *attentionTask) keys(m Matrix, p attentionPart) Matrix    { return t.head(m, t.Keys, p) }

func (t *attentionTask) head(m Matrix, rows []int, p attentionPart) Matrix {
	return m.Range(rows[p.sequence], rows[p.sequence+1], p.head*t.HeadSize, (p.head+1)*t.HeadSize)
}

// seen returns how many of n keys the query before to sees.
func (t *attentionTask) seen(to, n int) int {
	if t.Causal {
		return min(to, n)
	}
	return n
}

// weigh sets each row of w to exp(scores - their maximum), with 0 for keys that the query does not see, and sums to the rows' sums. The
// rows are the queries from i on, of which q holds the strip.
func (t *attentionTask) weigh(w, q Matrix, i int, keys *panels, bias []float32, sums *[maxStrip]float32) {
	keys.multiply(w.ColRange(0, t.seen(i+w.Rows, w.Cols)), q)
	for r := range w.Rows {
		row := w.Row(r)
		seen := t.seen(i+r+1, len(row))
		clear(row[seen:])
		row = row[:seen]
		if bias != nil {
			t.engine.AddRow(row, bias[len(bias)/2-i-r:][:seen])
		}
		sums[r] = t.engine.expRow(row)
	}
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

// biasRow returns the part's row of one of the biases, nil where there are none.
func biasRow(biases []Matrix, p attentionPart) []float32 {
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
