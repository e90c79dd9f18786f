package mat

import (
	"fmt"
	"unsafe"

	"github.com/polytropon/polytropon/mat/asm"
)

// AttentionGradients is where AttentionBackward puts the gradients of Attention's operands.
type AttentionGradients struct {
	Q, K, V Matrix // set

	// Bias is nil or has a matrix per sequence of the shape of Attention.Bias, to which the gradient is added. Unlike the biases, no two
	// sequences may share one: the sum over sequences is the caller's.
	Bias []Matrix
}

// AttentionBackward sets out what out = Attention(q, k, v) and the gradient dOut of a loss with respect to out imply for the operands. With
// P = softmax(scale·Q·Kᵀ + bias), per head and sequence (Dao et al. 2022, appendix B.2):
//
//	dV = Pᵀ·dOut
//	dS = P ⊙ (dOut·Vᵀ - rowsum(dOut ⊙ out))
//	dQ = scale·(dS·K)
//	dK = dSᵀ·(scale·Q)
//	dBias[n-1-i+j] += dS[i, j]
//
// Where several heads of Q use one of K and V, dK and dV are the sums over these heads.
//
// The gradients must not overlap each other or an operand. A sequence without queries, or without keys, gives zeros. A worker holds
// the scores of 42 queries of one head at a time, and computes them anew.
//
// With e and Σe as in Attention, g_i = dOut_i·(1/Σe_i) and dS = e ⊙ (g·Vᵀ - g·out), the last difference one more step of the chain over the
// head; where a query sees a single key, whose weight is always 1, dS is 0 and not what rounding leaves of the difference. dQ is a chain over the
// keys that its block of 42 queries sees; dK and dV are chains over blocks of 42 queries, the blocks of one head after another added to +0 in
// ascending order; dBias is added to query by query. So a sequence's gradients do not depend on the other sequences. What is not finite in a head
// of a sequence may reach any gradient of that head and sequence, the same on every level.
func (e *Engine) AttentionBackward(d AttentionGradients, dOut, out, q, k, v Matrix, a Attention) {
	t := e.attention(a)
	t.gradients, t.dOut, t.out, t.q, t.k, t.v, t.do = d, dOut, out, q, k, v, (*attentionTask).backward
	t.check()
	t.checkGradients()
	t.split(q.Rows + 1)
	t.run()
}

func (t *attentionTask) checkGradients() {
	d := &t.gradients
	t.checkLike("result", t.out, t.q)
	t.checkLike("gradient of the result", t.dOut, t.q)
	t.checkLike("gradient of the queries", d.Q, t.q)
	t.checkLike("gradient of the keys", d.K, t.k)
	t.checkLike("gradient of the values", d.V, t.v)
	if d.Bias != nil && len(d.Bias) != t.sequences() {
		panic(fmt.Sprintf("mat: attention of %d sequences with %d gradients of biases", t.sequences(), len(d.Bias)))
	}
	t.checkBias(d.Bias)
	all := [...]Matrix{d.Q, d.K, d.V, t.dOut, t.out, t.q, t.k, t.v}
	for i, m := range all[:3] {
		for _, o := range all[i+1:] {
			if m.overlaps(o) {
				panic(fmt.Sprintf("mat: attention: a gradient of %s overlaps another or an operand, of %s", m.Shape(), o.Shape()))
			}
		}
		raceWrite(m)
	}
	for _, m := range all[3:] {
		raceRead(m)
	}
	for _, m := range d.Bias {
		raceWrite(m)
	}
}

// queryBlock is the length of the chains over queries; it is part of the arithmetic. Whole strips of the widest x86 and arm64 kernels make it up.
const queryBlock = 42

// A headGradient is what one worker holds for a head of a sequence on the way back.
type headGradient struct {
	task            *attentionTask
	sequence, head  int
	q, out, dOut    Matrix
	dq              Matrix
	keys            panels
	keysT, valuesT  panels // valuesT has a row of ones more, for the difference in dScores
	weights, scores Matrix // of a block of queries: e, and the gradients of the scores
	scaled          Matrix // of a block: the queries times the scale
	g               Matrix // of a block: dOut_i·(1/Σe_i), and a column for -g·out
	qT, gT          Matrix // of a block, transposed
	dkT, dvT        Matrix // of all keys and all heads that use them, transposed
}

// backward computes one part of AttentionBackward: a head of K and V of a sequence, and the heads that use it.
func (t *attentionTask) backward(p attentionPart) {
	e, d, s := t.engine, t.HeadSize, p.sequence
	k, v := t.head(t.keysOf(t.k, s), p.kvHead), t.head(t.keysOf(t.v, s), p.kvHead)
	dk, dv := t.head(t.keysOf(t.gradients.K, s), p.kvHead), t.head(t.keysOf(t.gradients.V, s), p.kvHead)
	n := k.Rows
	h := headGradient{
		task: t, sequence: s,
		keys: newPanels(e.level, n, d), keysT: newPanels(e.level, d, n), valuesT: newPanels(e.level, d+1, n),
	}
	if t.queryCount(s) == 0 || n == 0 {
		clearRows(dk)
		clearRows(dv)
		for i := range t.group() {
			clearRows(t.head(t.queriesOf(t.gradients.Q, s), p.kvHead*t.group()+i))
		}
		return
	}
	nr := e.level.Gemm.Tiles[0].NR
	width := ceilDiv(n, nr)*nr + stripPad
	memory := e.Borrow(h.keys.size() + h.keysT.size() + h.valuesT.size() + 2*(queryBlock+d)*width + queryBlock*(4*d+1))
	defer e.Return(memory)
	rest := h.keys.place(h.keysT.place(h.valuesT.place(memory)))
	carve := func(m *Matrix, rows, cols, stride int) {
		*m = Matrix{Rows: rows, Cols: cols, Stride: stride, Data: rest[:rows*stride]}
		rest = rest[rows*stride:]
	}
	carve(&h.weights, queryBlock, n, width)
	carve(&h.scores, queryBlock, n, width)
	carve(&h.dkT, d, n, width)
	carve(&h.dvT, d, n, width)
	carve(&h.qT, d, queryBlock, queryBlock)
	carve(&h.gT, d, queryBlock, queryBlock)
	carve(&h.scaled, queryBlock, d, d)
	carve(&h.g, queryBlock, d+1, d+1)
	h.keys.copy(k)
	h.keysT.copyT(k)
	h.valuesT.copyT(v)
	clear(h.dkT.Data)
	clear(h.dvT.Data)
	for i := range t.group() {
		h.head = p.kvHead*t.group() + i
		view := func(m Matrix) Matrix { return t.head(t.queriesOf(m, s), h.head) }
		h.q, h.out, h.dOut, h.dq = view(t.q), view(t.out), view(t.dOut), view(t.gradients.Q)
		clearRows(h.dq)
		for from := 0; from < h.q.Rows; from += queryBlock {
			h.block(from, min(from+queryBlock, h.q.Rows))
		}
	}
	e.transpose(dk, h.dkT)
	e.transpose(dv, h.dvT)
}

// block does the queries from ≤ i < to. Its products are over all keys that the block sees, whatever the level's strips are.
func (h *headGradient) block(from, to int) {
	t, e, rows := h.task, h.task.engine, to-from
	first, _ := t.sees(h.sequence, from, h.weights.Cols)
	_, end := t.sees(h.sequence, to-1, h.weights.Cols)
	start := first / kBlock * kBlock
	weights, scores, g, q := h.weights.Range(0, rows, 0, end), h.scores.Range(0, rows, 0, end), h.g.RowRange(0, rows), h.scaled.RowRange(0, rows)
	t.scaled(q, h.q.RowRange(from, to))
	mr := e.level.Gemm.Tiles[0].MR
	for r := 0; r < rows; r += mr {
		next := min(r+mr, rows)
		p := strip{h.sequence, h.head, from + r, start}
		h.strip(p, weights.RowRange(r, next), scores.RowRange(r, next), g.RowRange(r, next), q.RowRange(r, next))
	}
	qT, gT := h.qT.ColRange(0, rows), h.gT.ColRange(0, rows)
	e.transpose(qT, q)
	e.transpose(gT, g.ColRange(0, gT.Rows))
	e.addProduct(h.dkT.ColRange(start, end), qT, scores.ColRange(start, end))
	e.addProduct(h.dvT.ColRange(start, end), gT, weights.ColRange(start, end))
}

// strip computes the weights, the gradients of the scores, g and the gradients of the queries for one strip.
func (h *headGradient) strip(p strip, weights, scores, g, q Matrix) {
	t, e, d := h.task, h.task.engine, h.q.Cols
	var sums [maxStrip]float32
	_, end := t.sees(p.sequence, p.i+g.Rows-1, weights.Cols)
	for r := range g.Rows {
		clear(weights.Row(r)[end:])
	}
	t.weigh(weights.ColRange(0, end), q, p, 0, &h.keysT, &sums)
	for r := range g.Rows {
		row := g.Row(r)
		e.level.Elem.Scale(row[:d], h.dOut.Row(p.i+r), 1/sums[r])
		row[d] = -e.DotRow(row[:d], h.out.Row(p.i+r))
	}
	h.valuesT.multiply(scores.ColRange(p.start, end), g, p.start)
	dBias := biasRow(t.gradients.Bias, p)
	for r := range g.Rows {
		row := scores.Row(r)
		from, to := t.sees(p.sequence, p.i+r, len(row))
		clear(row[p.start:from])
		clear(row[to:])
		row = row[from:to]
		if len(row) == 1 {
			row[0] = 0
		} else {
			e.level.Elem.Mul(row, row, weights.Row(r)[from:to])
		}
		if dBias != nil {
			e.AddRow(dBias[len(dBias)/2-t.position(p.sequence, p.i+r)+from:][:len(row)], row)
		}
	}
	dq := h.dq.RowRange(p.i, p.i+g.Rows)
	h.keys.multiplyAdd(dq, scores.ColRange(p.start, scores.Cols), p.start)
	if t.Scale != 1 {
		for r := range dq.Rows {
			e.ScaleRow(dq.Row(r), t.Scale)
		}
	}
}

// addProduct adds a·b, of at most kBlock steps, to c. It reads b where it lies, and each row up to a multiple of the kernel's width.
func (e *Engine) addProduct(c, a, b Matrix) {
	tile := &e.level.Gemm.Tiles[0]
	perCall := max(1, callMACs/(max(a.Cols, 64)*tile.NR*tile.MR)) * tile.NR
	strips := ceilDiv(c.Rows, tile.MR)
	for j := 0; j < c.Cols; j += perCall {
		n := min(c.Cols-j, perCall)
		count := ceilDiv(n, tile.NR)
		for s := range strips {
			from, to := c.Rows*s/strips, c.Rows*(s+1)/strips
			tile.Strip(to-from, a.Cols, count, &a.Data[from*a.Stride], a.Stride, unsafe.Pointer(&b.Data[j]), b.Stride, tile.NR,
				&c.Data[from*c.Stride+j], c.Stride, n-(count-1)*tile.NR, true, asm.Ahead{})
		}
	}
}

// transpose sets dst to the transpose of m, which is not empty.
func (e *Engine) transpose(dst, m Matrix) {
	const columns = 512 // in a call, as the runtime cannot stop a goroutine inside
	for j := 0; j < m.Cols; j += columns {
		e.level.Gemm.Transpose(&dst.Data[j*dst.Stride], dst.Stride, &m.Data[j], m.Stride, m.Rows, min(columns, m.Cols-j))
	}
}
