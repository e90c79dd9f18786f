package mat

import (
	"math/rand/v2"
	"testing"
)

// TestRepack overwrites what was packed and compares with what is packed from the start.
func TestRepack(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		rnd := rand.New(rand.NewPCG(21, 22))
		for _, s := range [][2]int{{0, 3}, {3, 0}, {1, 1}, {5, 7}, {40, 33}, {513, 65}, {1030, 200}} {
			old, b := random(rnd, s[0], s[1], 0), random(rnd, s[0], s[1], 3)
			want := Pack(e, b.Data, s[0], s[1], b.Stride)
			p := Pack(e, old.Data, s[0], s[1], old.Stride)
			if p.Repack(e, b); !p.Equal(want) {
				t.Errorf("%d×%d: Repack gives something else", s[0], s[1])
			}
			p.Repack(e, old)
			if p.RepackT(e, transposed(b)); !p.Equal(want) {
				t.Errorf("%d×%d: RepackT gives something else", s[0], s[1])
			}
		}
		p := Pack(e, make([]float32, 6), 2, 3, 3)
		mustPanic(t, "Repack", func() { p.Repack(e, New(3, 2)) })
		mustPanic(t, "RepackT", func() { p.RepackT(e, New(2, 3)) })
		mustPanic(t, "Repack of a half", func() { Pack(e, make([]BFloat16, 6), 2, 3, 3).Repack(e, New(2, 3)) })
	})
}

// TestPackT compares what is packed transposed with the transpose packed as it is, in every type.
func TestPackT(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		for _, s := range [][2]int{{0, 3}, {3, 0}, {1, 1}, {7, 5}, {33, 40}, {65, 513}, {200, 1030}} {
			testPackT[float32](t, e, s[0], s[1])
			testPackT[BFloat16](t, e, s[0], s[1])
			testPackT[Float16](t, e, s[0], s[1])
		}
	})
}

func testPackT[T Element](t *testing.T, e *Engine, n, k int) {
	stride := k + 2
	w, wT := make([]T, n*stride), make([]T, k*n)
	for i := range n {
		for j := range k {
			w[i*stride+j] = T(i*31 + j)
			wT[j*n+i] = w[i*stride+j]
		}
	}
	if !PackT(e, w, n, k, stride).Equal(Pack(e, wT, k, n, n)) {
		t.Errorf("%T of %d×%d: PackT gives something else than Pack of the transpose", *new(T), n, k)
	}
}
