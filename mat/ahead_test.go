package mat

import (
	"math/rand/v2"
	"testing"
)

// TestAheadChangesNothing tells the engine what comes next, or something else, while products of every storage type run and workers wait.
func TestAheadChangesNothing(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		rnd := rand.New(rand.NewPCG(1, 1))
		var group, other []Product
		for _, shape := range [][3]int{{1, 576, 1500}, {1, 576, 200}, {3, 1100, 40}, {1, 20, 3}, {20, 700, 130}, {1, 0, 5}, {0, 5, 5}} {
			m, k, n := shape[0], shape[1], shape[2]
			b := random(rnd, k, n, 0)
			half := make([]BFloat16, k*n)
			for i := range half {
				half[i] = BFloat16(rnd.IntN(1 << 14))
			}
			a := random(rnd, m, k, 0)
			group = append(group, Product{New(m, n), a, Pack(e, b.Data, k, n, n)}, Product{New(m, n), a, Pack(e, half, k, n, n)})
			other = append(other, Product{New(m, n), a, group[len(group)-2].B}, Product{New(m, n), a, group[len(group)-1].B})
		}
		e.MulGrouped(group)
		for range 4 {
			for i := range other {
				e.Ahead(other[i+1:])
				e.MulGrouped(other[i : i+1])
				if d := diff(other[i].C, group[i].C); d != "" {
					t.Fatalf("product %d: %s", i, d)
				}
			}
		}
		if n := testing.AllocsPerRun(20, func() { e.Ahead(group) }); n != 0 {
			t.Errorf("%v allocations per call", n)
		}
	})
}

// TestReadingEnds reads what is to be read ahead.
func TestReadingEnds(t *testing.T) {
	e := newEngine(t, 2)
	w := Pack(e, make([]float32, 576*1536), 576, 1536, 1536)
	new(reading).some() // nothing
	r := reading{w, 4096, 4096 + aheadBytes}
	n := 0
	for ; r.at < r.end; n++ {
		r.some()
	}
	if r.some(); n != aheadBytes/aheadChunk || r.at != r.end {
		t.Errorf("%d reads until there is nothing to read, want %d", n, aheadBytes/aheadChunk)
	}
}
