package mat

import "testing"

// What strips fetch lies in the packed B, whatever its shape is: a pointer behind a piece of memory ends the program when the garbage collector finds it.
func TestFetchStaysInB(t *testing.T) {
	const m = 40
	engines(t, func(t *testing.T, e *Engine) {
		for _, k := range []int{1, 16, 100, 512, 700, 1100} {
			for _, n := range []int{1, 16, 24, 40, 256, 530, 700, 1030} {
				for _, right := range []bool{false, true} {
					task := e.task()
					b := Pack(e, make([]float32, k*n), k, n, n)
					p := product{c: New(m, n), a: New(m, k), packed: b, right: right}
					if right {
						p.c, p.a = p.a, p.c
					}
					task.products = append(task.products, p)
					task.divide()
					for _, q := range task.parts {
						w := &worker{part: q, engine: e, product: &task.products[0]}
						w.eachFetch(func(f fetch, panels int) {
							for i := q.i0; i < q.i1; i += 7 {
								for panel := range panels {
									ahead := f.share(i-q.i0, min(7, q.i1-i), q.i1-q.i0, panel)
									if at := uintptr(ahead.B) - uintptr(b.memory); ahead.B != nil && at >= uintptr(b.Bytes()) {
										t.Fatalf("%d×%d, transposed %t: byte %d of %d", k, n, right, int(at), b.Bytes())
									}
								}
							}
						})
					}
					task.free()
				}
			}
		}
	})
}

// eachFetch calls f with what is fetched during every block of a part that is cut into one to five blocks of columns.
func (w *worker) eachFetch(f func(f fetch, panels int)) {
	p, nr := w.product, w.tile.NR
	all := ceilDiv(w.j1-w.j0, nr)
	for blocks := 1; blocks <= min(5, all); blocks++ {
		for b := range blocks {
			j0, j1 := w.j0+all*b/blocks*nr, min(w.j1, w.j0+all*(b+1)/blocks*nr)
			for k0 := 0; k0 < p.k(); k0 += kBlock {
				after := place{j0, k0 + kBlock}
				if p.k()-after.k0 < kBlock/2 {
					after = place{j1, 0}
				}
				panels := ceilDiv(j1-j0, nr)
				f(w.next(after, panels, min(p.k()-k0, kBlock)), panels)
			}
		}
	}
}
