package mat

import (
	"math/rand/v2"
	"runtime"
	"testing"
)

// TestMulAddLowRank compares with two products one after another.
func TestMulAddLowRank(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		rnd := rand.New(rand.NewPCG(1, 2))
		packed := func(k, n int) *Packed {
			m := random(rnd, k, n, 1)
			if rnd.IntN(8) == 0 {
				half := make([]BFloat16, k*n)
				for i := range half {
					half[i] = BFloat16(0x3f80 + rnd.IntN(100))
				}
				return Pack(e, half, k, n, n)
			}
			return Pack(e, m.Data, k, n, m.Stride)
		}
		for range 30 {
			var group []LowRankProduct
			var want []Matrix
			k := []int{0, 1, 24, 576, 1100}[rnd.IntN(5)]
			for range rnd.IntN(40) {
				k, r, n := k, []int{1, 4, 8, 8, 8, 16, 40}[rnd.IntN(7)], []int{1, 20, 64, 100, 192}[rnd.IntN(5)]
				rows := []int{1, 1, 1, 1, 0, 2, 20}[rnd.IntN(7)]
				if rnd.IntN(10) == 0 {
					k = 7
				}
				p := LowRankProduct{C: random(rnd, rows, n, 2), A: random(rnd, rows, k, 1), Down: packed(k, r), Up: packed(r, n)}
				c, middle := clone(p.C), New(rows, r)
				e.Mul(middle, p.A, p.Down)
				e.MulAdd(c, middle, p.Up)
				group, want = append(group, p), append(want, c)
			}
			e.MulAddLowRank(group)
			for i, p := range group {
				for r := range p.C.Rows {
					for j, got := range p.C.Row(r) {
						if w := want[i].Row(r)[j]; !same(got, w) {
							t.Fatalf("product %d of %d, %s by %d×%d and %d×%d: row %d, column %d: got %x, want %x",
								i, len(group), p.A.Shape(), p.Down.K, p.Down.N, p.Up.K, p.Up.N, r, j, got, w)
						}
					}
				}
			}
		}
	})
}

func TestMulAddLowRankAllocatesNothing(t *testing.T) {
	e := newEngine(t, 2)
	down, up := Pack(e, make([]float32, 576*8), 576, 8, 8), Pack(e, make([]float32, 8*64), 8, 64, 64)
	var group []LowRankProduct
	for _, rows := range []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 9} {
		group = append(group, LowRankProduct{New(rows, 64), New(rows, 576), down, up})
	}
	e.MulAddLowRank(group)
	if n := testing.AllocsPerRun(20, func() { e.MulAddLowRank(group); runtime.Gosched() }); n != 0 {
		t.Errorf("%v allocations a call", n)
	}
}

func TestMulAddLowRankRefuses(t *testing.T) {
	e := newEngine(t, 1)
	pack := func(k, n int) *Packed { return Pack(e, make([]float32, k*n), k, n, n) }
	for what, p := range map[string]LowRankProduct{
		"another rank":  {New(1, 3), New(1, 2), pack(2, 4), pack(5, 3)},
		"another input": {New(1, 3), New(1, 1), pack(2, 4), pack(4, 3)},
		"another width": {New(1, 2), New(1, 2), pack(2, 4), pack(4, 3)},
		"more results":  {New(2, 3), New(1, 2), pack(2, 4), pack(4, 3)},
	} {
		mustPanic(t, what, func() { e.MulAddLowRank([]LowRankProduct{p}) })
	}
	x := New(3, 3)
	for rows := 1; rows <= 3; rows += 2 {
		x := x.RowRange(0, rows)
		mustPanic(t, "a result that overlaps", func() { e.MulAddLowRank([]LowRankProduct{{x, x, pack(3, 4), pack(4, 3)}}) })
	}
}
