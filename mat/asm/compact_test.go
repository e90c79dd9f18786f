package asm

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// compacted is panels of B in the compact layout, with guard pages beside each part.
type compacted struct {
	b, rare []byte
	runs    []uint16
	highs   [16]byte
}

// compactOf returns the compact form of panels of k rows. Their high bytes are those of eight, and sometimes others.
func compactOf[T uint16 | uint32](t *testing.T, c *Compact, plain []T, panels, k int, highs [8]byte, place placer) *compacted {
	units := panels * k / 2
	p := &compacted{b: placed[byte](place, units*c.UnitBytes())}
	for i, h := range highs {
		p.highs[i], p.highs[8+i] = h, h|0x80
	}
	src, isRare := placed[T](place, len(plain)), placed[uint8](place, units)
	copy(src, plain)
	c.Encode(unsafe.Pointer(&p.b[0]), unsafe.Pointer(&src[0]), units, &p.highs, &isRare[0])
	var rare []byte
	var runs []uint16
	run := uint16(0)
	for u := range units {
		unit := plain[u*2*c.NR:][:2*c.NR]
		known := !slices.ContainsFunc(unit, func(v T) bool { return !slices.Contains(highs[:], byte(v>>(8*(unsafe.Sizeof(v)-1)))&0x7f) })
		if isRare[u] == 0 != known {
			t.Fatalf("rare is %d, %t that all high bytes have numbers", isRare[u], known)
		}
		if known {
			run++
		} else {
			rare = c.AppendRare(rare, unsafe.Pointer(&p.b[u*c.UnitBytes()]), unsafe.Pointer(&unit[0]))
			runs = append(runs, run)
			run = 0
		}
		if (u+1)%(k/2) == 0 {
			runs = append(runs, run)
			run = 0
		}
	}
	p.rare, p.runs = placed[byte](place, len(rare)), placed[uint16](place, len(runs))
	copy(p.rare, rare)
	copy(p.runs, runs)
	return p
}

// elements returns n elements whose first bytes are those of highs, or of their negatives, but for one of a rare few.
func elements[T uint16 | uint32](rnd *rand.Rand, n, rare int, highs [8]byte) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(rnd.Uint32())
		shift := 8 * (unsafe.Sizeof(x[i]) - 1)
		if rare == 0 || rnd.IntN(rare) > 0 {
			x[i] = x[i]&^(0x7f<<shift) | T(highs[rnd.IntN(8)])<<shift
		}
	}
	return x
}

// otherCompact are kernels that a level has on other machines, for float32 and for bfloat16.
var otherCompact = map[string][2]CompactStrip{}

func TestCompact(t *testing.T) {
	for _, l := range Levels() {
		if l.Gemm.CompactFloat32 == nil {
			continue
		}
		test := func(name string, floats, halves *Compact) {
			t.Run(name+"/Float32", func(t *testing.T) { testCompact(t, floats, func(v uint32) float32 { return math.Float32frombits(v) }) })
			t.Run(name+"/BFloat16", func(t *testing.T) { testCompact(t, halves, BFloat16) })
		}
		test(l.Name, l.Gemm.CompactFloat32, l.Gemm.CompactBFloat16)
		if other, ok := otherCompact[l.Name]; ok {
			floats, halves := *l.Gemm.CompactFloat32, *l.Gemm.CompactBFloat16
			floats.Strip, halves.Strip = other[0], other[1]
			test(l.Name+" elsewhere", &floats, &halves)
		}
	}
}

func testCompact[T uint16 | uint32](t *testing.T, c *Compact, widen func(T) float32) {
	rnd := rand.New(rand.NewPCG(7, 8))
	strip := stripGeneric(c.NR, widen)
	check := func(s stripCase, rare int, highs [8]byte, place placer) {
		t.Helper()
		n := (s.panels-1)*c.NR + s.tail
		lda, ldc := s.k+s.padA, n+s.padC
		plain := elements[T](rnd, s.panels*s.k*c.NR, rare, highs)
		p := compactOf(t, c, plain, s.panels, s.k, highs, place)
		a, out := placed[float32](place, (s.m-1)*lda+s.k), placed[float32](place, (s.m-1)*ldc+n)
		for _, x := range [][]float32{a, out} {
			for i := range x {
				x[i] = float32(rnd.NormFloat64())
			}
		}
		want := slices.Clone(out)
		var wide []float32 // sometimes kept
		if s.padC < 3 {
			wide = placed[float32](place, len(plain))
		}
		c.Strip(s.m, s.k, s.panels, &a[0], lda, unsafe.Pointer(&p.b[0]), &p.runs[0], unsafe.Pointer(unsafe.SliceData(p.rare)), &out[0], ldc, s.tail, s.add, &p.highs, unsafe.SliceData(wide))
		strip(s.m, s.k, s.panels, &a[0], lda, unsafe.Pointer(&plain[0]), c.NR, s.k*c.NR, &want[0], ldc, s.tail, s.add, Ahead{})
		for i := range out {
			if !same(out[i], want[i]) {
				t.Fatalf("%v, one of %d: c[%d, %d] = %x, want %x", s, rare, i/ldc, i%ldc, out[i], want[i])
			}
		}
		checkWide := func() {
			t.Helper()
			for i, x := range wide {
				if v := widen(plain[i]); !same(x, v) {
					t.Fatalf("%v: element %d widened is %x, want %x", s, i, x, v)
				}
			}
		}
		checkWide()
		if len(p.rare) == 0 {
			wide = placed[float32](place, len(plain))
			c.Widen(&wide[0], unsafe.Pointer(&p.b[0]), s.panels*s.k/2, &p.highs)
			checkWide()
		}
	}
	usual := [8]byte{0x3f, 0x3e, 0x3d, 0x3c, 0x3b, 0x3a, 0x39, 0x00}
	special := [8]byte{0x7f, 0x00, 0x3f, 0x40, 0x3e, 0x3d, 0x01, 0x3c}
	ks, counts := []int{2, 4, 6, 8, 10, 32, 66}, []int{1, 2, 3, 5}
	if testing.Short() { // as where it is emulated
		ks, counts = []int{2, 66}, []int{1, 3}
	}
	for m := 1; m <= c.MR; m++ {
		for _, k := range ks {
			for _, panels := range counts {
				s := stripCase{m: m, k: k, panels: panels, tail: 1 + rnd.IntN(c.NR), padA: rnd.IntN(5), padC: rnd.IntN(5), add: rnd.IntN(2) == 0}
				if rnd.IntN(2) == 0 {
					s.tail = c.NR
				}
				for _, rare := range []int{0, 10, 200, 1000} { // none, nearly all, some and few rare units
					highs := usual
					if rnd.IntN(3) == 0 {
						highs = special
					}
					check(s, rare, highs, []placer{atStart, atEnd}[rnd.IntN(2)])
				}
			}
		}
		for tail := 1; tail <= c.NR; tail++ {
			check(stripCase{m: m, k: 4, panels: 1 + tail%2, tail: tail, add: tail%3 == 0}, 300, usual, []placer{atStart, atEnd}[tail/2%2])
		}
	}
}

// TestCompactDecode takes units apart and puts them together again.
func TestCompactDecode(t *testing.T) {
	for _, l := range Levels() {
		if l.Gemm.CompactFloat32 == nil {
			continue
		}
		t.Run(l.Name+"/Float32", func(t *testing.T) { testDecode(t, l.Gemm.CompactFloat32, math.Float32frombits) })
		t.Run(l.Name+"/BFloat16", func(t *testing.T) { testDecode(t, l.Gemm.CompactBFloat16, BFloat16) })
	}
}

func testDecode[T uint16 | uint32](t *testing.T, c *Compact, widen func(T) float32) {
	rnd := rand.New(rand.NewPCG(9, 10))
	highs := [8]byte{0x3f, 0x3e, 0x3d, 0x3c, 0x3b, 0x3a, 0x39, 0x38}
	for i := range 150 {
		unit := elements[T](rnd, 2*c.NR, []int{0, 100, 2}[i%3], highs)
		p := compactOf(t, c, unit, 1, 2, highs, atEnd)
		var rare unsafe.Pointer
		if len(p.rare) > 0 {
			rare = unsafe.Pointer(&p.rare[0])
		}
		got := placed[T](atEnd, len(unit))
		c.Decode(unsafe.Pointer(&got[0]), unsafe.Pointer(&p.b[0]), rare, &p.highs)
		if !slices.Equal(got, unit) {
			t.Fatalf("%x, want %x", got, unit)
		}
		if rare == nil {
			continue
		}
		wide := placed[float32](atEnd, len(unit))
		c.WidenRare(&wide[0], unsafe.Pointer(&p.b[0]), rare, &p.highs)
		for i, v := range unit {
			if !same(wide[i], widen(v)) {
				t.Fatalf("%x widened is %x", v, wide[i])
			}
		}
	}
}
