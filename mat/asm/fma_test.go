package asm

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// bigFMA returns x·y + z rounded once, for finite arguments, through exact arithmetic.
func bigFMA(x, y, z float32) float32 {
	f := func(v float32) *big.Float { return new(big.Float).SetPrec(1000).SetFloat64(float64(v)) }
	p := new(big.Float).SetPrec(1000).Mul(f(x), f(y))
	s := new(big.Float).SetPrec(1000).Add(p, f(z))
	if s.Sign() == 0 {
		// An exact zero has the sign of IEEE arithmetic, which the float64 sum gets right: the product is exact.
		return float32(float64(x)*float64(y) + float64(z))
	}
	r, _ := s.Float32()
	return r
}

var fmaOperands = []float32{
	0, float32(math.Copysign(0, -1)), 1, -1, 1 + 0x1p-23, 1 - 0x1p-24, 3, 1.5, 0x1p-12, 0x1p12, -0x1p-24, 0x1p24, 0x1p24 + 2, 0x1p-25,
	0x1p-126, -0x1p-126, 0x1p-127, 0x1p-149, -0x1p-149, 0x3p-149, 0x1p-75, 0x1p-74, 0x1.000002p-75, 0x1.fffffep-126, 0x1.fffffcp-127,
	math.MaxFloat32, -math.MaxFloat32, 0x1p127, 0x1p64, 0x1p63, 0x1.fffffep63, 0x1.000002p64, 0x1p103, 0x1p102, -0x1p104,
}

func TestFMA(t *testing.T) {
	check := func(x, y, z float32) {
		t.Helper()
		if got, want := FMA(x, y, z), bigFMA(x, y, z); math.Float32bits(got) != math.Float32bits(want) {
			t.Fatalf("FMA(%x, %x, %x) = %x, want %x", x, y, z, got, want)
		}
	}
	for _, x := range fmaOperands {
		for _, y := range fmaOperands {
			for _, z := range fmaOperands {
				check(x, y, z)
			}
		}
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	finite := func() float32 {
		for {
			if f := math.Float32frombits(rnd.Uint32()); f-f == 0 {
				return f
			}
		}
	}
	for range 100_000 {
		check(finite(), finite(), finite())
	}
	// Sums near the middle of two float32: z is a midpoint less the product, rounded, then moved a little.
	for range 200_000 {
		x := math.Float32frombits(rnd.Uint32()&(1<<12-1)<<11 | uint32(64+rnd.IntN(60))<<23)
		y := math.Float32frombits(rnd.Uint32()&(1<<13-1)<<10 | uint32(64+rnd.IntN(60))<<23)
		z := math.Float32frombits(rnd.Uint32()&3<<21 | rnd.Uint32()&1 | uint32(rnd.IntN(140))<<23)
		if rnd.IntN(2) == 0 {
			z = -z
		}
		check(x, y, z)
	}
}

// TestFMAHalfway builds sums that lie on, just above and just below the middle of two float32.
func TestFMAHalfway(t *testing.T) {
	for _, scale := range []float32{1, 0x1p-100, 0x1p100, 0x1p-125} {
		for _, tiny := range []float32{0, 0x1p-20, -0x1p-20, 0x1p-48, -0x1p-48} {
			for _, odd := range []float32{1, 1 + 0x1p-23} {
				for _, sign := range []float32{1, -1} {
					// z + z·2^-24·(1 + tiny): the product is half a unit in z's last place, give or take.
					z := sign * odd * scale
					x, y := sign*(1+tiny), float32(0x1p-24)*scale
					if got, want := FMA(x, y, z), bigFMA(x, y, z); got != want {
						t.Errorf("FMA(%x, %x, %x) = %x, want %x", x, y, z, got, want)
					}
				}
			}
		}
	}
}

func TestFMASpecial(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, c := range []struct{ x, y, z, want float32 }{
		{inf, 1, 1, inf}, {inf, -1, 1, -inf}, {1, 1, -inf, -inf}, {inf, 0, 1, nan}, {0, -inf, 1, nan}, {inf, 1, -inf, nan}, {inf, 1, inf, inf},
		{nan, 0, 0, nan}, {0, nan, 0, nan}, {0, 0, nan, nan}, {inf, inf, 0, inf}, {math.MaxFloat32, math.MaxFloat32, -inf, -inf},
		{math.MaxFloat32, 2, 0, inf}, {math.MaxFloat32, 2, -math.MaxFloat32, math.MaxFloat32},
	} {
		got := FMA(c.x, c.y, c.z)
		if got != c.want && !(got != got && c.want != c.want) {
			t.Errorf("FMA(%v, %v, %v) = %v, want %v", c.x, c.y, c.z, got, c.want)
		}
	}
	// Every bit pattern that the test for a halfway sum could take for one.
	for _, bits := range []uint32{0x7fc00000, 0x7fffffff, 0xffc00001, 0x7fa00000} {
		if got := FMA(1, 1, math.Float32frombits(bits)); got == got {
			t.Errorf("FMA(1, 1, NaN %x) = %v", bits, got)
		}
	}
}
