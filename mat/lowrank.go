package mat

import (
	"fmt"
	"slices"
	"unsafe"
)

// A LowRankProduct is one of the products of a group: A is M × K, Down is K × r, Up is r × N, C is M × N.
type LowRankProduct struct {
	C, A     Matrix
	Down, Up *Packed
}

// MulAddLowRank computes C = C + (A·Down)·Up for every product of the group, with the bits of two products one after another. No C overlaps an A or another C.
//
// In decoding each sequence has a single row and may have matrices of its own: then a worker computes both products of some rows, which takes less time
// than to hand them out.
func (e *Engine) MulAddLowRank(group []LowRankProduct) {
	t, ok := e.lowRanks.take()
	if !ok {
		t = &lowRankTask{engine: e}
	}
	values := 0
	for _, p := range group {
		p.check()
		values += p.C.Rows * p.Down.N
	}
	memory := e.Borrow(values)
	down, up := e.task(), e.task()
	values = 0
	for _, p := range group {
		middle := View(memory[values:], p.C.Rows, p.Down.N)
		values += p.C.Rows * p.Down.N
		first, second := product{c: middle, a: p.A, packed: p.Down}, product{c: p.C, a: middle, packed: p.Up, add: true}
		if first.isThin() && second.isThin() {
			first.check(e)
			second.check(e)
			t.products = append(t.products, [2]product{first, second})
			t.values += p.Down.K*p.Down.N + p.Up.K*p.Up.N
			continue
		}
		down.products, up.products = append(down.products, first), append(up.products, second)
	}
	down.run()
	up.run()
	t.run()
	e.Return(memory)
}

func (p *LowRankProduct) check() {
	if p.C.overlaps(p.A) {
		panic(fmt.Sprintf("mat: product of %s with %d×%d and then %d×%d added to %s, which overlaps the first",
			p.A.Shape(), p.Down.K, p.Down.N, p.Up.K, p.Up.N, p.C.Shape()))
	}
}

// shareValues is how many values the matrices of a lowRankTask have from which on it pays to share it.
const shareValues = 1 << 15

// isThin reports whether the product is one for a lowRankTask.
func (p *product) isThin() bool { return p.c.Rows == 1 && p.packed.isFloats() }

// A lowRankTask is products of single rows that are computed two by two, the second from the first. Tasks are reused.
type lowRankTask struct {
	engine   *Engine
	products [][2]product
	values   int // of their right operands
	parts    []chains
}

// chains are products that a kernel computes together.
type chains struct {
	a, b [4]unsafe.Pointer
	c    [32]float32
}

// run computes the products and gives the task back.
func (t *lowRankTask) run() {
	parts := 1
	if t.values >= shareValues {
		parts = min(ceilDiv(len(t.products), len(chains{}.a)), t.engine.threads*partsPerThread)
	}
	t.parts = slices.Grow(t.parts[:0], parts)[:parts]
	if parts > 1 {
		t.engine.Run(parts, t)
	} else {
		t.Do(0)
	}
	clear(t.products)
	clear(t.parts)
	t.products, t.values = t.products[:0], 0
	t.engine.lowRanks.put(t)
}

// Do implements Task.
func (t *lowRankTask) Do(i int) {
	const most = len(chains{}.a)
	n := len(t.products)
	for from, to := n*i/len(t.parts), n*(i+1)/len(t.parts); from < to; from += most {
		group := t.products[from:min(from+most, to)]
		if !t.parts[i].multiply(t.engine, group) {
			for j := range group {
				group[j][0].columns(0, group[j][0].c.Cols)
			}
		}
		for j := range group {
			group[j][1].columns(0, group[j][1].c.Cols)
		}
	}
}

// multiply computes the first products of a group together, if it can.
func (c *chains) multiply(e *Engine, group [][2]product) bool {
	k := group[0][0].k()
	for i := range group {
		if p := &group[i][0]; p.k() != k || k == 0 || p.c.Cols == 0 || p.c.Cols > 8 {
			return false
		}
	}
	for k0 := 0; k0 < k; k0 += kBlock {
		for i := range c.a {
			p := &group[min(i, len(group)-1)][0] // those that are missing are computed with the last
			c.a[i], c.b[i] = unsafe.Pointer(&p.a.Data[k0]), p.packed.address(k0, 0)
		}
		e.level.Gemm.Chains(min(k-k0, kBlock), &c.a, &c.b, &c.c, k0 > 0)
	}
	for i := range group {
		row := group[i][0].c.Row(0)
		copy(row, c.c[8*i:])
	}
	return true
}
