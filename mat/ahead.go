package mat

import (
	"sync/atomic"
	"unsafe"
)

// Ahead says what MulGrouped or MulAddGrouped will be called with after the next call: of the matrices only the shapes matter. Workers that wait
// meanwhile read the first weights that they will need into their caches, where a call with few rows does little else than read weights. It changes no
// result, and nothing depends on its being true.
func (e *Engine) Ahead(group []Product) {
	if e.threads == 1 || e.level.Name == "generic" {
		return // nobody waits, or not for memory
	}
	a := &e.pool.ahead
	a.weights.Store(nil)
	t := e.task()
	for _, g := range group {
		t.products = append(t.products, product{c: g.C, a: g.A, packed: g.B})
	}
	t.divide()
	if n := len(t.parts); n > 0 {
		last := t.parts[n-1] // with which a worker begins
		b := group[last.product].B
		from := int64(b.offset(0, last.j0) * b.size)
		a.end.Store(min(from+aheadBytes, int64(b.Bytes())))
		a.next.Store(from)
		a.weights.Store(b)
	}
	t.free()
}

const (
	aheadBytes = 256 << 10 // what a core reads in the time between two products, and no more than a part of its cache
	aheadChunk = 4 << 10   // read between two looks for work
)

// ahead is what waiting workers read.
type ahead struct {
	weights   atomic.Pointer[Packed] // nil where there is nothing
	next, end atomic.Int64           // offsets into them, in bytes
}

// read reads a piece that no other worker has read.
func (a *ahead) read() {
	w := a.weights.Load()
	if w == nil {
		return
	}
	// The offsets may be of other weights by now.
	at := a.next.Add(aheadChunk) - aheadChunk
	if at+aheadChunk > min(a.end.Load(), int64(w.Bytes())) {
		a.weights.CompareAndSwap(w, nil)
		return
	}
	w.level.Gemm.Read((*float32)(unsafe.Add(w.memory, at)), 1, aheadChunk/4)
}
