package mat

import "unsafe"

// Ahead says what MulGrouped or MulAddGrouped will be called with after the next call: of the matrices only the shapes matter. Who waits meanwhile for
// others reads the first weights that it will need into its caches, where a call with few rows does little else than read weights. It changes no
// result, and nothing depends on its being true.
func (e *Engine) Ahead(group []Product) {
	if e.threads == 1 || e.level.Name == "generic" {
		return // nobody waits, or not for memory
	}
	t := e.task()
	for _, g := range group {
		t.products = append(t.products, product{c: g.C, a: g.A, packed: g.B})
	}
	t.divide()
	p := e.pool
	p.mu.Lock()
	p.ahead = p.ahead[:0]
	n := len(t.parts)
	for i := range e.threads {
		var r reading
		if shares := min(n, e.threads); i < shares {
			first := &t.pieces[t.parts[firstPart(n, shares, i)]]
			b := first.product.packed
			from := b.sizeOf(b.offset(0, first.j0))
			r = reading{b, from, min(from+aheadBytes, b.bytes())}
		}
		p.ahead = append(p.ahead, r)
	}
	p.mu.Unlock()
	t.free()
}

const (
	aheadBytes = 256 << 10 // what a core reads in the time between two products, and no more than a part of its cache
	aheadChunk = 4 << 10   // read between two looks for work
)

// A reading is weights that somebody who waits reads, from an offset to another, in bytes.
type reading struct {
	weights *Packed // nil where there is nothing
	at, end int
}

// some reads a piece.
func (r *reading) some() {
	if r.at+aheadChunk > r.end {
		return
	}
	r.weights.level.Gemm.Read((*float32)(unsafe.Add(r.weights.memory, r.at)), 1, aheadChunk/4)
	r.at += aheadChunk
}
