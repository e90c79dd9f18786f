package main

import "math"

// The exponential of z is 2ⁿ·exp(r) with n = round(z/ln 2) and r = z - n·ln 2, |r| ≤ ln 2 / 2. Adding z/ln 2 to round, a power of two
// times 1.5 and a bias, leaves n and the bias in the low bits of the sum.
const (
	round  = 3 << 22
	log2E  = float32(1 / math.Ln2)
	ln2    = float32(math.Ln2)
	ln2Low = float32(math.Ln2 - float64(ln2))
)

// Coefficients of the best fits with float32 coefficients.
var (
	// expPoly: eʳ for |r| ≤ ln 2 / 2, relative error below 3.2e-9.
	expPoly = []float32{1, 1, 0x1.fffffcp-2, 0x1.55548cp-3, 0x1.555858p-5, 0x1.123da8p-7, 0x1.6ac174p-10}

	// expNegPoly: (e⁻ʳ - 1)/r for |r| ≤ ln 2 / 2; it makes e⁻ʳ with a relative error below 4.4e-9.
	expNegPoly = []float32{-1, 0.5, -0x1.555466p-3, 0x1.5552fep-5, -0x1.1257dcp-7, 0x1.6ff02ap-10}

	// expm1Poly: ((e²ʳ - 1)/2 - r)/r² for |r| ≤ ln 2 / 4; it makes (e²ʳ - 1)/2 with a relative error below 1.5e-8.
	expm1Poly = []float32{0x1.fffffep-1, 0x1.5554aap-1, 0x1.55579ap-2, 0x1.122c38p-3, 0x1.6ac05ap-5}
)

// poly returns c[0] + c[1]·x + …
func (b *body) poly(x *value, c []float32) *value {
	p := b.num(c[len(c)-1])
	for i := len(c) - 2; i >= 0; i-- {
		p = b.fma(p, x, b.num(c[i]))
	}
	return p
}

// reduce returns the sum t of z/ln 2, round and bias; n = round(z/ln 2); and r = z - n·ln 2.
func (b *body) reduce(z *value, bias int) (t, n, r *value) {
	b.note("z = n·ln 2 + r")
	magic := b.num(float32(round + bias))
	t = b.fma(z, b.num(log2E), magic)
	n = b.sub(t, magic)
	r = b.fma(n, b.num(-ln2), z)
	r = b.fma(n, b.num(-ln2Low), r)
	return t, n, r
}

// expBody: below -104 the result is 0, above 89 it is +Inf.
func expBody(b *body) {
	z := b.max(b.num(-104), b.min(b.num(89), b.x()))
	t, n, r := b.reduce(z, 2*127)
	b.note("p = exp r")
	p := b.poly(r, expPoly)
	b.note("2ⁿ·p")
	b.store(b.scale(p, t, n))
}

// down is 2⁻³²: the sigmoid is down/(down + down·e⁻ᶻ), as e⁻ᶻ itself may be too large for a float32.
const down = 32

// sigmoid returns 1/(1 + exp(excess - z)) for -110 ≤ z ≤ 60; excess may be nil.
func (b *body) sigmoid(z, excess *value) *value {
	b.note("-z = n·ln 2 - r")
	magic := b.num(round + 127 - down)
	t := b.fma(z, b.num(-log2E), magic)
	n := b.sub(t, magic)
	r := b.fma(n, b.num(ln2), z)
	r = b.fma(n, b.num(ln2Low), r)
	if excess != nil {
		r = b.sub(r, excess)
	}
	b.note("p = exp(-r) - 1")
	p := b.mul(b.poly(r, expNegPoly), r)
	b.note("1/(1 + 2ⁿ + 2ⁿ·p), all times 2⁻³²")
	s := b.pow2(t)
	one := b.num(1.0 / (1 << down))
	return b.div(one, b.fma(s, p, b.add(s, one)))
}

// sigmoidBody: below -104 the result is 0, from 17 on it is 1.
func sigmoidBody(b *body) {
	b.store(b.sigmoid(b.min(b.num(30), b.max(b.num(-104), b.x())), nil))
}

// silu returns x·sigmoid(x). Below -104 it is -0.
func (b *body) silu() *value {
	x := b.max(b.num(-104), b.x())
	return b.mul(b.sigmoid(b.min(b.num(30), x), nil), x)
}

// tanhBody computes e/(1+e) with e = (exp(2a) - 1)/2 and a = |x|; from 9.02 on tanh rounds to 1.
func tanhBody(b *body) {
	a := b.min(b.num(9.02), b.abs(b.x()))
	b.note("2a = n·ln 2 + 2r")
	magic := b.num(round + 127)
	t := b.fma(a, b.num(2*log2E), magic)
	n := b.sub(t, magic)
	r := b.fma(n, b.num(-ln2/2), a)
	r = b.fma(n, b.num(-ln2Low/2), r)
	b.note("p = (exp 2r - 1)/2")
	p := b.fma(b.mul(r, r), b.poly(r, expm1Poly), r)
	b.note("e = 2ⁿ·p + (2ⁿ - 1)/2")
	s := b.pow2(t)
	e := b.fma(s, p, b.fma(s, b.num(0.5), b.num(-0.5)))
	b.note("e/(1 + e), with the sign of x")
	b.store(b.withSign(b.div(e, b.add(e, b.num(1))), b.x()))
}

// expShifted returns 2⁶⁴·exp(x - shift) for x ≤ shift, and 0 where x - shift < -99.5·ln 2, about -69. So the terms of a softmax, their
// sum and all that divBody makes of them are normal numbers, which makes it correct, and fast whatever the values are. The factor is
// 2⁻²⁷ in 2ⁿ, which so comes out as 0 where n is -100, and 2⁹¹ in p.
func (b *body) expShifted() *value {
	z := b.max(b.num(-100*ln2), b.sub(b.x(), b.args[0]))
	t, _, r := b.reduce(z, 127-27)
	b.note("p = 2⁹¹·exp r")
	var scaled []float32
	for _, c := range expPoly {
		scaled = append(scaled, c*0x1p91)
	}
	p := b.poly(r, scaled)
	b.note("2ⁿ⁻²⁷·p; 0 past the end")
	return b.valid(b.mul(p, b.pow2(t)), b.num(0))
}
