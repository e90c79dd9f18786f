package mat

import "fmt"

// kBlock is the length of the chains along k; it is part of the arithmetic, not a tuning parameter.
const kBlock = 512

// A Product is one of the products of a group: A is M × K, B is K × N, C is M × N.
type Product struct {
	C, A Matrix
	B    *Packed
}

// A MatrixProduct is a Product whose B is not packed.
type MatrixProduct struct{ C, A, B Matrix }

// Mul sets c = a·b. c must not overlap a.
func (e *Engine) Mul(c, a Matrix, b *Packed) { e.one(product{c: c, a: a, packed: b}) }

// MulAdd sets c = c + a·b. c must not overlap a.
func (e *Engine) MulAdd(c, a Matrix, b *Packed) { e.one(product{c: c, a: a, packed: b, add: true}) }

// MulMatrix sets c = a·b with b not packed. c must not overlap a or b.
func (e *Engine) MulMatrix(c, a, b Matrix) { e.one(product{c: c, a: a, b: b}) }

// MulAddMatrix sets c = c + a·b with b not packed. c must not overlap a or b.
func (e *Engine) MulAddMatrix(c, a, b Matrix) { e.one(product{c: c, a: a, b: b, add: true}) }

// MulT sets c = a·bᵀ: a is M × N, b is K × N, c is M × K. Where b holds the weight of a linear layer y = x·b, the gradient of x is
// dx = dy·bᵀ, from the same packed memory. c must not overlap a.
func (e *Engine) MulT(c, a Matrix, b *Packed) { e.one(product{c: c, a: a, packed: b, right: true}) }

// MulAddT sets c = c + a·bᵀ as MulT does.
func (e *Engine) MulAddT(c, a Matrix, b *Packed) {
	e.one(product{c: c, a: a, packed: b, right: true, add: true})
}

// MulTMatrix sets c = aᵀ·b: a is K × M, b is K × N, c is M × N. In a linear layer y = x·w, the gradient of w is dw = xᵀ·dy, the sum
// over the rows of the batch. c must not overlap a or b.
func (e *Engine) MulTMatrix(c, a, b Matrix) { e.one(product{c: c, a: a, b: b, left: true}) }

// MulAddTMatrix sets c = c + aᵀ·b as MulTMatrix does.
func (e *Engine) MulAddTMatrix(c, a, b Matrix) {
	e.one(product{c: c, a: a, b: b, left: true, add: true})
}

// MulMatrixT sets c = a·bᵀ as MulT does, with b not packed. c must not overlap a or b.
func (e *Engine) MulMatrixT(c, a, b Matrix) { e.one(product{c: c, a: a, b: b, right: true}) }

// MulAddMatrixT sets c = c + a·bᵀ as MulMatrixT does.
func (e *Engine) MulAddMatrixT(c, a, b Matrix) {
	e.one(product{c: c, a: a, b: b, right: true, add: true})
}

func (e *Engine) one(p product) {
	t := e.task()
	t.products = append(t.products, p)
	t.run()
}

// A product is what a task computes: c = a·b or, if add, c = c + a·b.
type product struct {
	c, a   Matrix
	packed *Packed // b, or nil:
	b      Matrix
	add    bool
	left   bool // a is to be transposed
	right  bool // b is to be transposed
}

// k is the length of the sums.
func (p *product) k() int {
	if p.left {
		return p.a.Rows
	}
	return p.a.Cols
}

// cost is the number of multiply-adds, or of those that take as long as reading B where A has few rows.
func (p *product) cost() int { return max(p.c.Rows, readRows) * p.c.Cols * p.k() }

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
	m, inner, cols := p.a.Rows, k, n
	if p.left {
		m = p.a.Cols
	}
	if p.right {
		inner, cols = n, k
	}
	if p.k() != inner || p.c.Rows != m || p.c.Cols != cols {
		panic(p.message(k, n))
	}
	if p.c.overlaps(p.a) {
		panic(p.message(k, n) + ", which overlaps the first")
	}
	if p.packed == nil && p.c.overlaps(p.b) {
		panic(p.message(k, n) + ", which overlaps the second")
	}
	raceRead(p.a)
	raceRead(p.b)
	raceWrite(p.c)
}

// message tells the shapes of the operands, b being k × n.
func (p *product) message(k, n int) string {
	transposed := map[bool]string{true: " transposed"}
	return fmt.Sprintf("mat: product of %s%s and %d×%d%s into %s", p.a.Shape(), transposed[p.left], k, n, transposed[p.right], p.c.Shape())
}
