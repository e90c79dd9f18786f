package mat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// weightsOf returns n × k weights of the given type with few exponents, rare of them others, and the same in float32.
func weightsOf[T float32 | BFloat16](rnd *rand.Rand, n, k int, rare float64) (w []T, wide []float32) {
	w, wide = make([]T, n*k), make([]float32, n*k)
	for i := range w {
		x := float32(rnd.NormFloat64())
		if rnd.Float64() < rare {
			x = math.Float32frombits(rnd.Uint32())
		}
		switch p := any(&w[i]).(type) {
		case *float32:
			*p = x
		case *BFloat16:
			*p = BFloat16(math.Float32bits(x) >> 16)
		}
	}
	Widen(wide, w)
	return w, wide
}

// TestCompact compares products with compact weights with those of the same weights in the plain layout.
func TestCompact(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		if e.level.Gemm.CompactFloat32 == nil {
			t.Skip("plain on this level")
		}
		testCompact[float32](t, e)
		testCompact[BFloat16](t, e)
	})
}

func testCompact[T float32 | BFloat16](t *testing.T, e *Engine) {
	rnd := rand.New(rand.NewPCG(31, 32))
	for _, s := range []struct {
		n, k int
		rare float64
	}{{128, 514, 0}, {300, 230, 2e-4}, {93, 1026, 2e-4}, {2000, 34, 1e-4}} {
		w, wide := weightsOf[T](rnd, s.n, s.k, s.rare)
		p, plain := CompactT(e, w, s.n, s.k, s.k), PackT(e, wide, s.n, s.k, s.k)
		name := fmt.Sprintf("%T, %d×%d, %g rare", w[0], s.n, s.k, s.rare)
		if p.compact == nil || p.Bytes() >= PackT(e, w, s.n, s.k, s.k).Bytes() {
			t.Fatalf("%s: not compact", name)
		}
		if got, ok := UnpackT[T](p); !ok || !slices.EqualFunc(got, w, func(a, b T) bool { return firstByte(a) == firstByte(b) && (a == b || a != a) }) {
			t.Errorf("%s: UnpackT gives something else than was packed", name)
		}
		rows := []int{0, 1, 2, 6, 7, 9, 14, 15, 33, 70, 71}
		if testing.Short() { // as where it is emulated
			rows = []int{1, 7, 15, 71}
		}
		for _, m := range rows {
			x, dy := random(rnd, m, s.k, 3), random(rnd, m, s.n, 2)
			for _, add := range []bool{false, true} {
				got, gotT := random(rnd, m, s.n, 5), random(rnd, m, s.k, 1)
				want, wantT := clone(got), clone(gotT)
				if add {
					e.MulAdd(got, x, p)
					e.MulAdd(want, x, plain)
					e.MulAddT(gotT, dy, p)
					e.MulAddT(wantT, dy, plain)
				} else {
					e.Ahead([]Product{{got, x, p}})
					e.Mul(got, x, p)
					e.Mul(want, x, plain)
					e.MulT(gotT, dy, p)
					e.MulT(wantT, dy, plain)
				}
				if d := diff(got, want); d != "" {
					t.Fatalf("%s, %d rows, add %t: %s", name, m, add, d)
				}
				if d := diff(gotT, wantT); d != "" {
					t.Fatalf("%s, %d rows, add %t, transposed: %s", name, m, add, d)
				}
			}
		}
	}
}

// TestCompactLayout says which weights are made compact.
func TestCompactLayout(t *testing.T) {
	e := newEngine(t, 2)
	if e.level.Gemm.CompactFloat32 == nil {
		t.Skip("plain on this level")
	}
	rnd := rand.New(rand.NewPCG(33, 34))
	usual, _ := weightsOf[float32](rnd, 256, 512, 0)
	scattered, _ := weightsOf[float32](rnd, 256, 512, 0.1)
	late := slices.Clone(usual) // where no sample is taken
	for i := 1; i < 256; i += 2 {
		for j := range 512 {
			late[i*512+j] *= 1e-30
		}
	}
	same := func(name string, got, want *Packed) {
		if !got.Equal(want) {
			t.Errorf("%s: not what PackT gives", name)
		}
	}
	same("an odd k", CompactT(e, usual, 256, 511, 512), PackT(e, usual, 256, 511, 512))
	same("a small matrix", CompactT(e, usual, 64, 512, 512), PackT(e, usual, 64, 512, 512))
	same("many exponents", CompactT(e, scattered, 256, 512, 512), PackT(e, scattered, 256, 512, 512))
	same("many exponents between samples", CompactT(e, late, 256, 512, 512), PackT(e, late, 256, 512, 512))
	same("float16", CompactT(e, make([]Float16, 256*512), 256, 512, 512), PackT(e, make([]Float16, 256*512), 256, 512, 512))
	a, b := CompactT(e, usual, 256, 512, 512), CompactT(e, usual, 256, 512, 512)
	same("the same weights", a, b)
	usual[7] = 3e-30
	if c := CompactT(e, usual, 256, 512, 512); a.Equal(c) || c.compact == nil || c.compact.bytes() <= a.compact.bytes() {
		t.Error("another element makes no other weights")
	}
	mustPanic(t, "CompactT of too few values", func() { CompactT(e, usual, 256, 513, 513) })
}

// TestCompactLargest compares the largest logits of a compact head with those of the plain one.
func TestCompactLargest(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		if e.level.Gemm.CompactFloat32 == nil {
			t.Skip("plain on this level")
		}
		const n, k = 1000, 130
		rnd := rand.New(rand.NewPCG(35, 36))
		w, wide := weightsOf[BFloat16](rnd, n, k, 0)
		for i := range n * k { // some rare units
			if rnd.IntN(2000) == 0 {
				w[i] = BFloat16(math.Float32bits(1e-9) >> 16)
				wide[i] = w[i].Float32()
			}
		}
		p := CompactT(e, w, n, k, k)
		if p.compact == nil || len(p.compact.rare) == 0 {
			t.Fatal("no rare units")
		}
		x := random(rnd, 2, k, 0)
		got, want := New(2, n), New(2, n)
		e.MulLargest(got, x, NewScreen(e, p), []int{1, 3})
		e.MulLargest(want, x, NewScreen(e, PackT(e, wide, n, k, k)), []int{1, 3})
		if d := diff(got, want); d != "" {
			t.Error(d)
		}
	})
}

// TestNarrowed packs float32 that was widened from bfloat16.
func TestNarrowed(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		rnd := rand.New(rand.NewPCG(37, 38))
		wide := make([]float32, 256*512)
		half, _ := weightsOf[BFloat16](rnd, 256, 512, 0)
		Widen(wide, half)
		narrow := CompactT(e, wide, 256, 512, 512)
		if narrow.Bytes() != CompactT(e, half, 256, 512, 512).Bytes() {
			t.Error("float32 of bfloat16 takes more bytes than bfloat16")
		}
		if got, ok := UnpackT[float32](narrow); !ok || !slices.Equal(got, wide) {
			t.Error("float32 of bfloat16 is unpacked as something else")
		}
		if _, ok := UnpackT[BFloat16](narrow); ok {
			t.Error("float32 unpacked as bfloat16")
		}
		x, got, want := random(rnd, 3, 512, 0), New(3, 256), New(3, 256)
		e.Mul(got, x, narrow)
		e.Mul(want, x, PackT(e, wide, 256, 512, 512))
		if d := diff(got, want); d != "" {
			t.Error(d)
		}
	})
}
