package mat

import (
	"fmt"
	"unsafe"
)

// AttentionGradients is where AttentionBackward puts the gradients of Attention's operands.
type AttentionGradients struct {
	Q, K, V Matrix // set

	// Bias is nil or has a matrix per sequence of the shape of Attention.Bias, to which the gradient is added. Unlike the biases, no two
	// sequences may share one: the sum over sequences is the caller's.
	Bias []Matrix
}

// AttentionBackward sets out what out = Attention(q, k, v) and the gradient dOut of a loss with respect to out imply for the operands. With
// P = softmax(Q·Kᵀ + bias), per head and sequence (Dao et al. 2022, appendix B.2):
//
//	dV = Pᵀ·dOut
//	dS = P ⊙ (dOut·Vᵀ - rowsum(dOut ⊙ out))
//	dQ = dS·K
//	dK = dSᵀ·Q
//	dBias[n-1-i+j] += dS[i, j]
//
// The gradients must not overlap each other or an operand. A sequence without queries, or without keys, gives zeros. A worker holds
// the scores of 42 queries of one head at a time, and computes them anew.
//
// With e and Σe as in Attention, g_i = dOut_i·(1/Σe_i) and dS = e ⊙ (g·Vᵀ - g·out), the last difference one more step of the chain over the
// head. dQ is a chain over the keys that its block of 42 queries sees; dK and dV are chains over blocks of 42 queries, the blocks added
// to +0 in ascending order; dBias is added to query by query. So a sequence's gradients do not depend on the other sequences. What is
// not finite in a head of a sequence may reach any gradient of that head and sequence, the same on every level.
func (e *Engine) AttentionBackward(d AttentionGradients, dOut, out, q, k, v Matrix, a Attention) {
	a.check(q, k, v)
	d.check(&a, dOut, out, q, k, v)
	t := e.attention(a)
	t.gradients, t.dOut, t.out, t.q, t.k, t.v, t.do = d, dOut, out, q, k, v, (*attentionTask).backward
	t.split(q.Rows + 1)
	t.run()
}

func (d *AttentionGradients) check(a *Attention, dOut, out, q, k, v Matrix) {
	a.checkLike("result", out, q)
	a.checkLike("gradient of the result", dOut, q)
	a.checkLike("gradient of the queries", d.Q, q)
	a.checkLike("gradient of the keys", d.K, k)
	a.checkLike("gradient of the values", d.V, v)
	if d.Bias != nil && len(d.Bias) != len(a.Queries)-1 {
		panic(fmt.Sprintf("mat: attention of %d sequences with %d gradients of biases", len(a.Queries)-1, len(d.Bias)))
	}
	a.checkBias(d.Bias)
	all := [...]Matrix{d.Q, d.K, d.V, dOut, out, q, k, v}
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
	q, out, dOut    Matrix
	dq              Matrix
	bias, dBias     []float32 // or nil
	keys            panels
	keysT, valuesT  panels // valuesT has a row of ones more, for the difference in dScores
	weights, scores Matrix // of a block of queries: e, and the gradients of the scores
	g               Matrix // of a block: dOut_i·(1/Σe_i), and a column for -g·out
	qT, gT          Matrix // of a block, transposed
	dkT, dvT        Matrix // of all keys, transposed
}

// backward computes one part of AttentionBackward: a head of a sequence.
func (t *attentionTask) backward(p attentionPart) {
	e, d := t.engine, t.HeadSize
	k, v := t.keys(t.k, p), t.keys(t.v, p)
	dk, dv := t.keys(t.gradients.K, p), t.keys(t.gradients.V, p)
	n := k.Rows
	h := headGradient{
		task: t, q: t.queries(t.q, p), out: t.queries(t.out, p), dOut: t.queries(t.dOut, p), dq: t.queries(t.gradients.Q, p),
		bias: biasRow(t.Bias, p), dBias: biasRow(t.gradients.Bias, p),
		keys: newPanels(e.level, n, d), keysT: newPanels(e.level, d, n), valuesT: newPanels(e.level, d+1, n),
	}
	clearRows(h.dq)
	if h.q.Rows == 0 || n == 0 {
		clearRows(dk)
		clearRows(dv)
		return
	}
	nr := e.level.Gemm.Tiles[0].NR
	width := ceilDiv(n, nr)*nr + stripPad
	memory := e.Borrow(h.keys.size() + h.keysT.size() + h.valuesT.size() + 2*(queryBlock+d)*width + queryBlock*(3*d+1))
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
	carve(&h.g, queryBlock, d+1, d+1)
	h.keys.copy(k)
	h.keysT.copyT(k)
	h.valuesT.copyT(v)
	clear(h.dkT.Data)
	clear(h.dvT.Data)
	for from := 0; from < h.q.Rows; from += queryBlock {
		h.block(from, min(from+queryBlock, h.q.Rows))
	}
	e.transpose(dk, h.dkT)
	e.transpose(dv, h.dvT)
}

// block does the queries from ≤ i < to. Its products are over all keys that the block sees, whatever the level's strips are.
func (h *headGradient) block(from, to int) {
	e, rows := h.task.engine, to-from
	seen := h.task.seen(to, h.weights.Cols)
	weights, scores, g := h.weights.Range(0, rows, 0, seen), h.scores.Range(0, rows, 0, seen), h.g.RowRange(0, rows)
	mr := e.level.Gemm.Tiles[0].MR
	for r := 0; r < rows; r += mr {
		next := min(r+mr, rows)
		h.strip(from+r, weights.RowRange(r, next), scores.RowRange(r, next), g.RowRange(r, next))
	}
	qT, gT := h.qT.ColRange(0, rows), h.gT.ColRange(0, rows)
	e.transpose(qT, h.q.RowRange(from, to))
	e.transpose(gT, g.ColRange(0, gT.Rows))
	e.addProduct(h.dkT.ColRange(0, seen), qT, scores)
	e.addProduct(h.dvT.ColRange(0, seen), gT, weights)
}

// strip computes the weights, the gradients of the scores, g and the gradients of the queries for one strip, from query i on.
func (h *headGradient) strip(i int, weights, scores, g Matrix) {
	t, e, d := h.task, h.task.engine, h.q.Cols
	var sums [maxStrip]float32
	t.weigh(weights, h.q.RowRange(i, i+g.Rows), i, &h.keysT, h.bias, &sums)
	for r := range g.Rows {
		row := g.Row(r)
		e.level.Elem.Scale(row[:d], h.dOut.Row(i+r), 1/sums[r])
		row[d] = -e.DotRow(row[:d], h.out.Row(i+r))
	}
	h.valuesT.multiply(scores.ColRange(0, t.seen(i+g.Rows, scores.Cols)), g)
	for r := range g.Rows {
		row := scores.Row(r)
		seen := t.seen(i+r+1, len(row))
		clear(row[seen:])
		row = row[:seen]
		e.level.Elem.Mul(row, row, weights.Row(r)[:seen])
		if h.dBias != nil {
			e.AddRow(h.dBias[len(h.dBias)/2-i-r:][:seen], row)
		}
	}
	h.keys.multiplyAdd(h.dq.RowRange(i, i+g.Rows), scores)
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
				&c.Data[from*c.Stride+j], c.Stride, n-(count-1)*tile.NR, true)
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
