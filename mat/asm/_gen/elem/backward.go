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

// geluBackwardBody: for x < 0 the derivative is Φ(-a) - a·φ(a) = exp(-a²/2)·(tail(a) - a/√(2π)). Beyond 13.24 it is 0 or 1.
func geluBackwardBody(b *body) {
	a := b.min(b.num(13.27), b.abs(b.x()))
	q, t, p := b.normalTail(a)
	b.note("v = 2ⁿ·(1 + p)·(q - a/√(2π))")
	s := b.mul(b.fms(a, b.num(float32(1/math.Sqrt(2*math.Pi))), q), b.pow2(t))
	b.store(b.mul(b.oneSided(b.fma(s, p, s)), b.y()))
}
