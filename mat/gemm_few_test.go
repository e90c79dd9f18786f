package mat

import "testing"

// TestFewParts cuts products of few rows: into the same number of parts for each thread, which are all panels and lie one after another.
func TestFewParts(t *testing.T) {
	for _, threads := range []int{1, 2, 3} {
		e := newEngine(t, threads)
		for _, half := range []bool{false, true} {
			for _, c := range []struct {
				m, k    int
				columns []int
				each    int // parts for a thread, where there are several
			}{
				{1, 4096, []int{1}, 0},
				{1, 576, []int{576, 96, 96}, 1},
				{1, 1536, []int{1536, 1536}, 2},
				{7, 1536, []int{1500, 1501}, 2},
				{1, 1024, []int{4096 * threads, 7}, 4},
			} {
				task := e.task()
				for _, n := range c.columns {
					b := Pack(e, make([]float32, c.k*n), c.k, n, n)
					if half {
						b = Pack(e, make([]BFloat16, c.k*n), c.k, n, n)
					}
					task.products = append(task.products, product{c: New(c.m, n), a: New(c.m, c.k), packed: b})
				}
				task.divide()
				want := c.each * threads
				if threads == 1 || c.each == 0 {
					want = 1
				}
				if len(task.parts) != want {
					t.Errorf("%d threads, %d×%d by %v: %d parts, want %d", threads, c.m, c.k, c.columns, len(task.parts), want)
				}
				at := map[*Packed]int{}
				for _, p := range task.pieces {
					if b := p.product.packed; p.j0 != at[b] || p.j1 <= p.j0 {
						t.Errorf("%d threads, %d×%d by %v: a piece of columns %d to %d after one to %d", threads, c.m, c.k, c.columns, p.j0, p.j1, at[b])
					} else {
						at[b] = p.j1
					}
				}
				for i, p := range task.products {
					if at[p.packed] != c.columns[i] {
						t.Errorf("%d threads, %d×%d by %v: product %d ends at column %d", threads, c.m, c.k, c.columns, i, at[p.packed])
					}
				}
				task.free()
			}
		}
	}
}
