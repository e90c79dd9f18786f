package main

import "math"

// The kernels of the way back multiply a gradient y by the derivative of a function at x. All but ReLU's have a derivative f' that is even or
// has f'(x) + f'(-x) = 1, so they are computed for a = |x|, of e⁻ᵃ or the like.

// farthest is where e⁻ᶻ is 0 here.
const farthest = 88

// expMinus returns q = exp(excess - z) for 0 ≤ z ≤ farthest; excess may be nil. From 87.7 on, where n is -127, pow2 gives 0.
func (b *body) expMinus(z, excess *value) *value {
	b.note("-z = n·ln 2 - r")
	magic := b.num(round + 127)
	t := b.fma(z, b.num(-log2E), magic)
	n := b.sub(t, magic)
	r := b.fma(n, b.num(ln2), z)
	r = b.fma(n, b.num(ln2Low), r)
	if excess != nil {
		r = b.sub(r, excess)
	}
	b.note("q = 2ⁿ·exp(-r)")
	return b.mul(b.fma(b.poly(r, expNegPoly), r, b.num(1)), b.pow2(t))
}

// square returns (1 + q)².
func (b *body) square(q *value) *value { return b.fma(q, b.add(q, b.num(2)), b.num(1)) }

// oneSided returns v where x < 0, and 1 - v where it is not.
func (b *body) oneSided(v *value) *value {
	b.note("v or 1 - v, by the sign of x")
	sign := b.withSign(b.num(1), b.x())
	step := b.fma(sign, b.num(0.5), b.num(0.5))
	return b.fms(v, sign, step)
}

// reluBackwardBody passes NaN of x over, as y does not depend on it then.
func reluBackwardBody(b *body) { b.store(b.above(b.x(), b.y())) }

// sigmoidBackwardBody: the derivative is q/(1+q)² with q = e⁻ᵃ.
func sigmoidBackwardBody(b *body) {
	q := b.expMinus(b.min(b.num(farthest), b.abs(b.x())), nil)
	b.store(b.mul(b.div(q, b.square(q)), b.y()))
}

// tanhBackwardBody: the derivative is 4q/(1+q)² with q = e⁻²ᵃ.
func tanhBackwardBody(b *body) {
	a := b.abs(b.x())
	q := b.expMinus(b.min(b.num(farthest), b.add(a, a)), nil)
	b.store(b.mul(b.div(b.mul(q, b.num(4)), b.square(q)), b.y()))
}

// gated returns the derivative of x·sigmoid(z(x)), given q = exp(-z(a)) and less = 1 - a·z'(a): for x < 0 it is
// sigmoid(z) + x·z'·sigmoid(z)·sigmoid(-z) = q·(1 + q - a·z')/(1+q)².
func (b *body) gated(q, less *value) *value {
	b.note("v = q·(less + q)/(1 + q)²")
	return b.oneSided(b.div(b.mul(b.add(less, q), q), b.square(q)))
}

func siluBackwardBody(b *body) {
	a := b.min(b.num(farthest), b.abs(b.x()))
	q := b.expMinus(a, nil)
	b.store(b.mul(b.gated(q, b.sub(b.num(1), a)), b.y()))
}

// geluTanhBackwardBody: z' = A + 3B·x². Beyond 10.03, where z is 88, the derivative is 0 or 1.
func geluTanhBackwardBody(b *body) {
	a := b.min(b.num(10.03), b.abs(b.x()))
	z, excess := b.geluTanhExponent(a)
	q := b.expMinus(z, excess)
	b.note("z'")
	slope := b.fma(b.mul(a, a), b.num(float32(3*geluB)), b.num(float32(geluA)))
	b.store(b.mul(b.gated(q, b.fms(a, slope, b.num(1))), b.y()))
}

// tail is Φ(-a)·exp(a²/2) as polynomials of a - centre in the eight parts of 0 ≤ a ≤ 14.5 in which a+1 has the same exponent and first bit
// of the fraction. Row k has the coefficients of degree k; relative error below 3.7e-8. In the middle of each part, centre was chosen so that
// the coefficient of degree 0 is a float32 up to a relative 1.5e-9.
var (
	tailCentre = [8]float32{0.283203125, 0.7451171875, 1.51953125, 2.544921875, 4.04296875, 5.9375, 9.0546875, 12.80078125}
	tail       = [][8]float32{
		{0x1.9e1ceep-2, 0x1.344f18p-2, 0x1.a1daf2p-3, 0x1.1d4e48p-3, 0x1.7efde4p-4, 0x1.0bfd6ep-4, 0x1.64aec4p-5, 0x1.fb8ddep-6},
		{-0x1.233d22p-2, -0x1.6594c8p-3, -0x1.6c2de8p-4, -0x1.6bcfbap-5, -0x1.56934ep-6, -0x1.57048p-7, -0x1.33e136p-8, -0x1.397186p-9},
		{0x1.4ba21ep-3, 0x1.5e2d76p-4, 0x1.1a544p-5, 0x1.aeb3fp-7, 0x1.25e4a4p-8, 0x1.ad031p-10, 0x1.06d44ap-11, 0x1.80e5a8p-13},
		{-0x1.45b48ap-4, -0x1.2ed3a6p-5, -0x1.8f243cp-7, -0x1.deda3ap-9, -0x1.e5a7fep-11, -0x1.06827ep-12, -0x1.bbf5ap-15, -0x1.d5f4bp-17},
		{0x1.1d8134p-5, 0x1.dadb5ap-7, 0x1.054cc8p-8, 0x1.f8218ep-11, 0x1.83320cp-13, 0x1.3a9ec8p-15, 0x1.724486p-18, 0x1.1d360cp-20},
		{-0x1.c83976p-7, -0x1.56fa58p-8, -0x1.40513cp-10, -0x1.f97d9ap-13, -0x1.2ab8f4p-15, -0x1.72aedep-18, -0x1.318da8p-21, -0x1.57d1d6p-24},
		{0x1.54a538p-8, 0x1.c5ad3p-10, 0x1.80ba28p-12, 0x1.eeb37ep-15, 0x1.dfe9eep-18, 0x1.ba543ep-21, 0x1.104a3p-24, 0x1.aa6e74p-28},
		{-0x1.f7b8c8p-10, -0x1.1f65fp-11, -0x1.b90a94p-14, -0x1.e67b5p-17, -0x1.7240bep-20, -0x1.d43a7ap-24, -0x1.cc0522p-28, -0x1.0c2ed8p-31},
	}
)

// part looks up the value for the part of the index: the first parts have indices 6 and 7, as the exponent of 1 is 127.
func (b *body) part(index *value, parts [8]float32) *value {
	var table [8]float32
	for i, v := range parts {
		table[(2*127+i)%8] = v
	}
	return b.lookup(index, table)
}

// normalTail returns tail(a) for 0 ≤ a ≤ 14.5.
func (b *body) normalTail(a *value) *value {
	b.note("q = tail(a)")
	i := b.index(b.add(a, b.num(1)), 22)
	u := b.sub(a, b.part(i, tailCentre))
	q := b.part(i, tail[len(tail)-1])
	for k := len(tail) - 2; k >= 0; k-- {
		q = b.fma(q, u, b.part(i, tail[k]))
	}
	return q
}

// geluBackwardBody: for x < 0 the derivative is Φ(-a) - a·φ(a) = exp(-a²/2)·(tail(a) - a/√(2π)). Beyond 13.24 it is 0 or 1.
func geluBackwardBody(b *body) {
	a := b.min(b.num(13.27), b.abs(b.x()))
	q := b.normalTail(a)
	t, p := b.bell(a)
	b.note("v = 2ⁿ·(1 + p)·(q - a/√(2π))")
	s := b.mul(b.fms(a, b.num(float32(1/math.Sqrt(2*math.Pi))), q), b.pow2(t))
	b.store(b.mul(b.oneSided(b.fma(s, p, s)), b.y()))
}
