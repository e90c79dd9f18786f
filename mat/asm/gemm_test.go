package asm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"unsafe"
)

// TestRequiredLevel fails where the level that POLY_REQUIRE_CPU names is missing.
func TestRequiredLevel(t *testing.T) {
	if name := os.Getenv("POLY_REQUIRE_CPU"); name != "" && Find(name) == nil {
		t.Fatalf("level %q is not available here", name)
	}
}

// accelerated runs f for every level but the portable one.
func accelerated(t *testing.T, f func(t *testing.T, l *Level)) {
	for _, l := range Levels()[:len(Levels())-1] {
		t.Run(l.Name, func(t *testing.T) { f(t, l) })
	}
}

// stripCase is the geometry of a call of a Strip.
type stripCase struct {
	m, k, panels, tail int
	padA, padC         int  // lda - k, ldc - columns
	direct             bool // B is row-major, not in panels
	add                bool
	ahead              bool // whether something is fetched
	next               bool // whether the next A is,
	pace               int  // and how much of B
}

func (s stripCase) String() string {
	return fmt.Sprintf("m %d, k %d, panels %d, tail %d, lda +%d, ldc +%d, direct %v, add %v, ahead %v, next %v, pace %d", s.m, s.k, s.panels, s.tail, s.padA, s.padC,
		s.direct, s.add, s.ahead, s.next, s.pace)
}

// checkStrip compares a Strip to the portable one for operands from value, placed by place (which sees guard pages to it).
func checkStrip[T any](t *testing.T, tile Tile, want Strip, s stripCase, value func() float32, element func() T, place placer) {
	t.Helper()
	n := (s.panels-1)*tile.NR + s.tail
	lda, ldc := s.k+s.padA, n+s.padC
	ldb, step := tile.NR, s.k*tile.NR
	sizeB := s.panels * step
	if s.direct {
		ldb, step = s.panels*tile.NR+3, tile.NR
		sizeB = max(0, (s.k-1)*ldb+s.panels*tile.NR)
	}
	a, b, c := placed[float32](place, (s.m-1)*lda+s.k), placed[T](place, sizeB), placed[float32](place, (s.m-1)*ldc+n)
	for i := range a {
		a[i] = value()
	}
	for i := range b {
		b[i] = element()
	}
	for i := range c {
		c[i] = value()
	}
	expected := slices.Clone(c)
	var ahead Ahead // what is fetched may lie beyond the operands
	if s.ahead {
		ahead = Ahead{B: uintptr(unsafe.Pointer(unsafe.SliceData(b))), Pace: s.pace}
	}
	if s.next {
		ahead.A = uintptr(unsafe.Pointer(unsafe.SliceData(a)))
	}
	tile.Strip(s.m, s.k, s.panels, unsafe.SliceData(a), lda, unsafe.Pointer(unsafe.SliceData(b)), ldb, step, &c[0], ldc, s.tail, s.add, ahead)
	want(s.m, s.k, s.panels, unsafe.SliceData(a), lda, unsafe.Pointer(unsafe.SliceData(b)), ldb, step, &expected[0], ldc, s.tail, s.add, Ahead{})
	for i := range c {
		if !same(c[i], expected[i]) {
			t.Fatalf("%v: c[%d, %d] = %x, want %x", s, i/ldc, i%ldc, c[i], expected[i])
		}
	}
}

// same reports whether x and y have the same bits or are both NaN.
func same(x, y float32) bool {
	return math.Float32bits(x) == math.Float32bits(y) || x != x && y != y
}

var specials = []float32{
	0, float32(math.Copysign(0, -1)), 1, -1, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()),
	math.MaxFloat32, -math.MaxFloat32, 0x1p-149, -0x1p-149, 0x1p-126, 0x1.fffffcp-127, 1 + 0x1p-23, 0x1p-75,
}

// otherTiles are kernels that a level has on other machines.
var otherTiles = map[string][]Tile{}

// eachStrip calls f with every kernel of a level, the portable strip that it must equal, and how many bytes an element of B has.
func eachStrip(l *Level, f func(name string, tile Tile, want Strip, bytes int, widen func(uint16) float32)) {
	for _, tile := range slices.Concat(l.Gemm.Tiles, otherTiles[l.Name]) {
		f(fmt.Sprintf("Float32/%d", tile.NR), tile, stripGeneric(tile.NR, func(v float32) float32 { return v }), 4, nil)
	}
	f("BFloat16", l.Gemm.BFloat16, stripGeneric(l.Gemm.BFloat16.NR, BFloat16), 2, BFloat16)
	f("Float16", l.Gemm.Float16, stripGeneric(l.Gemm.Float16.NR, Float16), 2, Float16)
}

func TestStrip(t *testing.T) {
	accelerated(t, func(t *testing.T, l *Level) {
		eachStrip(l, func(name string, tile Tile, want Strip, bytes int, widen func(uint16) float32) {
			t.Run(name, func(t *testing.T) {
				rnd := rand.New(rand.NewPCG(3, 4))
				normal := func() float32 { return float32(rnd.NormFloat64()) }
				special := func() float32 {
					if rnd.IntN(4) > 0 {
						return normal()
					}
					return specials[rnd.IntN(len(specials))]
				}
				check := func(s stripCase, value func() float32, place placer) {
					t.Helper()
					if bytes == 4 {
						checkStrip(t, tile, want, s, value, value, place)
						return
					}
					// Half of the exponents are in reach of sums; a few are zeros, subnormals, infinities and NaNs.
					element := func() uint16 {
						b := uint16(rnd.Uint32())
						if widen(b) != widen(b) && rnd.IntN(50) > 0 {
							return 0x3c00
						}
						return b
					}
					checkStrip(t, tile, want, s, value, element, place)
				}
				for m := 1; m <= tile.MR; m++ {
					for _, k := range []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 33, 50} {
						for _, panels := range []int{1, 2, 3, 4, 5, 9} {
							s := stripCase{m: m, k: k, panels: panels, tail: 1 + rnd.IntN(tile.NR), padA: rnd.IntN(5), padC: rnd.IntN(5)}
							if rnd.IntN(2) == 0 {
								s.tail = tile.NR
							}
							s.direct, s.add = rnd.IntN(2) == 0, rnd.IntN(2) == 0
							s.ahead, s.next, s.pace = rnd.IntN(4) > 0, rnd.IntN(2) == 0, []int{0, 1, 16, 17, 64, 300}[rnd.IntN(6)]
							value := normal
							if rnd.IntN(3) == 0 {
								value = special
							}
							check(s, value, []placer{atStart, atEnd}[rnd.IntN(2)])
						}
					}
					for tail := 1; tail <= tile.NR; tail++ {
						check(stripCase{m: m, k: 3, panels: 1 + tail%2, tail: tail, add: true}, normal, atEnd)
						check(stripCase{m: m, k: 3, panels: 1 + tail%2, tail: tail, add: false}, special, atStart)
					}
				}
			})
		})
	})
}

// TestStripOverwrites checks that C is not read where it is not added to.
func TestStripOverwrites(t *testing.T) {
	accelerated(t, func(t *testing.T, l *Level) {
		eachStrip(l, func(name string, tile Tile, want Strip, bytes int, widen func(uint16) float32) {
			c := make([]float32, tile.NR)
			for i := range c {
				c[i] = float32(math.NaN())
			}
			var a float32
			b := make([]uint64, tile.NR)
			tile.Strip(1, 1, 1, &a, 1, unsafe.Pointer(&b[0]), tile.NR, tile.NR, &c[0], tile.NR, tile.NR, false, Ahead{})
			for j, v := range c {
				if math.Float32bits(v) != 0 {
					t.Errorf("%s: c[%d] = %v, want 0", name, j, v)
				}
			}
		})
	})
}

// TestCopyStrip compares the products with those of Strip, and the copy with B: whole, and nothing beside it.
func TestCopyStrip(t *testing.T) {
	for _, l := range Levels() {
		g := &l.Gemm
		mr, nr := g.CopyMR, g.Tiles[0].NR
		rnd := rand.New(rand.NewPCG(1, 2))
		random := func(x []float32) {
			for i := range x {
				x[i] = float32(rnd.NormFloat64())
			}
		}
		for k := 1; k <= 70; k++ {
			place, panels, add := []placer{atStart, atEnd}[k%2], 1+k%3, k%5 < 2
			n := panels * nr
			lda, ldb, ldc := k+rnd.IntN(3), n+rnd.IntN(3), n+rnd.IntN(3)
			a, b, c := placed[float32](place, (mr-1)*lda+k), placed[float32](place, (k-1)*ldb+n), placed[float32](place, (mr-1)*ldc+n)
			random(a)
			random(b)
			random(c)
			want := slices.Clone(c)
			dst := placed[float32](place, k*n)
			g.CopyStrip(k, panels, &a[0], lda, &b[0], ldb, &dst[0], &c[0], ldc, add)
			g.Tiles[0].Strip(mr, k, panels, &a[0], lda, unsafe.Pointer(&b[0]), ldb, nr, &want[0], ldc, nr, add, Ahead{})
			if !slices.Equal(c, want) {
				t.Fatalf("%s: k %d, panels %d, add %v: the products differ", l.Name, k, panels, add)
			}
			for i := range dst {
				if v := b[i/nr%k*ldb+i/(nr*k)*nr+i%nr]; math.Float32bits(dst[i]) != math.Float32bits(v) {
					t.Fatalf("%s: k %d, panels %d: element %d of the copy is %x, want %x", l.Name, k, panels, i, dst[i], v)
				}
			}
		}
	}
}

func TestWiden(t *testing.T) {
	accelerated(t, func(t *testing.T, l *Level) {
		src := make([]uint16, 1<<16)
		for i := range src {
			src[i] = uint16(i)
		}
		got, want := make([]float32, len(src)), make([]float32, len(src))
		for _, c := range []struct {
			name      string
			got, want func(*float32, *uint16, int)
		}{
			{"BFloat16", l.Gemm.WidenBFloat16, gemmGeneric.WidenBFloat16},
			{"Float16", l.Gemm.WidenFloat16, gemmGeneric.WidenFloat16},
		} {
			c.got(&got[0], &src[0], len(src))
			c.want(&want[0], &src[0], len(src))
			for i := range got {
				if !same(got[i], want[i]) {
					t.Fatalf("%s(%#x) = %x, want %x", c.name, i, got[i], want[i])
				}
			}
		}
	})
}
