package mat

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestTuning checks that what a level chooses for one machine computes the same as what it chooses for others.
func TestTuning(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for _, s := range []shape{{33, 1024, 70}, {75, 520, 8}, {90, 513, 16}, {100, 20, 48}} {
		a, b := random(rnd, s.m, s.k, rnd.IntN(2)*3), random(rnd, s.k, s.n, 0)
		want := random(rnd, s.m, s.n, 2)
		start := clone(want)
		oracle(want, a, b, true)
		engines(t, func(t *testing.T, e *Engine) {
			chosen := e.level
			for i := range 8 {
				fetch, whole, block := i&1 > 0, i&2 > 0, 1<<12<<(i>>2*6)
				l := *chosen
				l.Gemm.BlockValues, l.Gemm.Tiles = block, slices.Clone(l.Gemm.Tiles)
				for j := range l.Gemm.Tiles {
					tile := &l.Gemm.Tiles[j]
					tile.FetchA, tile.Whole, tile.SetMR = fetch, whole, i%3*tile.MR/3
				}
				e.level = &l
				p := Pack(e, b.Data, s.k, s.n, b.Stride)
				c, u := clone(start), clone(start)
				e.MulAdd(c, a, p)
				e.MulAddMatrix(u, a, b)
				if d := diff(c, want) + diff(u, want); d != "" {
					t.Fatal(fmt.Sprintf("fetch %v, whole %v, block %d: ", fetch, whole, block), d)
				}
			}
			e.level = chosen
		})
	}
}
