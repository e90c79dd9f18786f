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
// the scores of 84 queries of one head at a time, and computes them anew.
//
// With e and Σe as in Attention, g_i = dOut_i·(1/Σe_i) and dS = e ⊙ (g·Vᵀ - g·out), the last difference one more step of the chain over the
// head. dQ is a chain over the keys, dK and dV are chains over blocks of 84 queries, the blocks added to +0 in ascending order; dBias is added to
// query by query. So a sequence's gradients do not depend on the other sequences. What is not finite in a head of a sequence may reach any
// gradient of that head and sequence.
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

// queryBlock is the length of the chains over queries; it is part of the arithmetic. Whole strips of every level's widest kernel make it up.
const queryBlock = 84

// backward computes one part of AttentionBackward: a head of a sequence.
func (t *attentionTask) backward(p attentionPart) {
	e, d := t.engine, t.HeadSize
	q, k, v := t.queries(t.q, p), t.keys(t.k, p), t.keys(t.v, p)
	out, dOut := t.queries(t.out, p), t.queries(t.dOut, p)
	dq, dk, dv := t.queries(t.gradients.Q, p), t.keys(t.gradients.K, p), t.keys(t.gradients.V, p)
	n := k.Rows
	clearRows(dq)
	if q.Rows == 0 || n == 0 {
		clearRows(dk)
		clearRows(dv)
		return
	}
	tile := &e.level.Gemm.Tiles[0]
	keys, keysT, valuesT := newPanels(e.level, n, d), newPanels(e.level, d, n), newPanels(e.level, d+1, n)
	block := min(q.Rows, queryBlock)
	width := ceilDiv(n, tile.NR)*tile.NR + stripPad
	memory := e.Borrow(keys.size() + keysT.size() + valuesT.size() + 2*block*width + 2*d*width + 2*d*block + block*(d+1))
	defer e.Return(memory)
	rest := keys.place(keysT.place(valuesT.place(memory)))
	carve := func(rows, cols, stride int) Matrix {
		m := Matrix{Rows: rows, Cols: cols, Stride: stride, Data: rest[:rows*stride]}
		rest = rest[rows*stride:]
		return m
	}
	weights, dScores := carve(block, n, width), carve(block, n, width)
	dkT, dvT := carve(d, n, width), carve(d, n, width)
	qT, gT, g := carve(d, block, block), carve(d, block, block), carve(block, d+1, d+1)
	keys.copy(k)
	keysT.copyT(k)
	valuesT.copyT(v) // and a row of ones, for the difference in dScores
	clear(dkT.Data)
	clear(dvT.Data)
	bias, dBias := biasRow(t.Bias, p), biasRow(t.gradients.Bias, p)
	var sums [maxStrip]float32
	for b := 0; b < q.Rows; b += queryBlock {
		rows := min(queryBlock, q.Rows-b)
		seen := t.seen(b+rows, n)
		weights, dScores := weights.Range(0, rows, 0, seen), dScores.Range(0, rows, 0, seen)
		for r := 0; r < rows; r += tile.MR {
			next := min(r+tile.MR, rows)
			w, ds, g := weights.RowRange(r, next), dScores.RowRange(r, next), g.RowRange(r, next)
			t.weigh(w, q.RowRange(b+r, b+next), b+r, &keysT, bias, &sums)
			for i := range g.Rows {
				row := g.Row(i)
				e.level.Elem.Scale(row[:d], dOut.Row(b+r+i), 1/sums[i])
				row[d] = -e.DotRow(row[:d], out.Row(b+r+i))
			}
			valuesT.multiply(ds.ColRange(0, t.seen(b+next, seen)), g)
			for i := range ds.Rows {
				row := ds.Row(i)
				seen := t.seen(b+r+i+1, seen)
				clear(row[seen:])
				row = row[:seen]
				e.level.Elem.Mul(row, row, w.Row(i)[:seen])
				if dBias != nil {
					e.AddRow(dBias[len(dBias)/2-b-r-i:][:seen], row)
				}
			}
			keys.multiplyAdd(dq.RowRange(b+r, b+next), ds)
		}
		e.transpose(qT.ColRange(0, rows), q.RowRange(b, b+rows))
		e.transpose(gT.ColRange(0, rows), g.Range(0, rows, 0, d))
		e.addProduct(dkT.ColRange(0, seen), qT.ColRange(0, rows), dScores)
		e.addProduct(dvT.ColRange(0, seen), gT.ColRange(0, rows), weights)
	}
	e.transpose(dk, dkT)
	e.transpose(dv, dvT)
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
