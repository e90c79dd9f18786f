package mat

import "fmt"

// kBlock is the length of the chains along k; it is part of the arithmetic, not a tuning parameter.
const kBlock = 512

// A Product is one of the products of a group: A is M × K, B is K × N, C is M × N.
type Product struct {
	C, A Matrix
	B    *Packed
}

// Mul sets c = a·b. c must not overlap a.
func (e *Engine) Mul(c, a Matrix, b *Packed) { e.one(product{c: c, a: a, packed: b}) }

// MulAdd sets c = c + a·b. c must not overlap a.
func (e *Engine) MulAdd(c, a Matrix, b *Packed) { e.one(product{c: c, a: a, packed: b, add: true}) }

// MulMatrix sets c = a·b with b not packed. c must not overlap a or b.
func (e *Engine) MulMatrix(c, a, b Matrix) { e.one(product{c: c, a: a, b: b}) }

// MulAddMatrix sets c = c + a·b with b not packed. c must not overlap a or b.
func (e *Engine) MulAddMatrix(c, a, b Matrix) { e.one(product{c: c, a: a, b: b, add: true}) }

// MulGrouped computes C = A·B for every product of the group, in one call that shares the work of all. No C may overlap another
// operand of the group.
func (e *Engine) MulGrouped(group []Product) { e.grouped(group, false) }

// MulAddGrouped computes C = C + A·B for every product of the group, in one call that shares the work of all. No C may overlap
// another operand of the group.
func (e *Engine) MulAddGrouped(group []Product) { e.grouped(group, true) }

func (e *Engine) one(p product) {
	t := e.task()
	t.products = append(t.products, p)
	t.run()
}

func (e *Engine) grouped(group []Product, add bool) {
	t := e.task()
	for _, p := range group {
		t.products = append(t.products, product{c: p.C, a: p.A, packed: p.B, add: add})
	}
	t.run()
}

// A product is what a task computes: c = a·b or, if add, c = c + a·b.
type product struct {
	c, a   Matrix
	packed *Packed // b, or nil:
	b      Matrix
	add    bool
}

// k is the length of the sums.
func (p *product) k() int { return p.a.Cols }

// macs is the number of multiply-adds.
func (p *product) macs() int { return p.c.Rows * p.c.Cols * p.k() }

// check panics where the operands of p do not fit.
func (p *product) check(e *Engine) {
	p.a.check()
	p.c.check()
	k, n := p.b.Rows, p.b.Cols
	if p.packed != nil {
		k, n = p.packed.K, p.packed.N
		if p.packed.level != e.level {
			panic(fmt.Sprintf("mat: product on %s with an operand packed for %s", e.level.Name, p.packed.level.Name))
		}
	} else {
		p.b.check()
	}
	if p.a.Cols != k || p.c.Rows != p.a.Rows || p.c.Cols != n {
		panic(fmt.Sprintf("mat: product of %s and %d×%d into %s", p.a.Shape(), k, n, p.c.Shape()))
	}
	if p.c.overlaps(p.a) {
		panic(fmt.Sprintf("mat: product of %s and %d×%d into %s, which overlaps the first", p.a.Shape(), k, n, p.c.Shape()))
	}
	if p.packed == nil && p.c.overlaps(p.b) {
		panic(fmt.Sprintf("mat: product of %s and %d×%d into %s, which overlaps the second", p.a.Shape(), k, n, p.c.Shape()))
	}
	raceRead(p.a)
	raceRead(p.b)
	raceWrite(p.c)
}
