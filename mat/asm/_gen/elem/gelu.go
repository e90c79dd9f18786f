package main

import (
	"math"
	"strings"
)

// nearEnd is where phi ends, just below √30.
const nearEnd = 5.477

// phi is Φ(-a), where Φ is the normal distribution, for 0 ≤ a ≤ nearEnd, as polynomials of a - centre in the eight parts in which a²/4 rounds
// to the same integer. Row k has the coefficients of degree k; relative error below 4.9e-8 in the first part, 3e-8 in the others. They are
// the minimax polynomials of the relative error with their coefficients rounded; each centre is the one at which that and the roundings of
// the evaluation do least harm.
var (
	phiCentre = [8]float32{0.997802734375, 2.16796875, 2.8857421875, 3.6015625, 4.0751953125, 4.5751953125, 5.0078125, 5.3818359375}
	phi       = [][8]float32{
		{0x1.46041ap-3, 0x1.ee28acp-7, 0x1.ffd356p-10, 0x1.4baceap-13, 0x1.81ac28p-16, 0x1.3f49aep-19, 0x1.278f1p-22, 0x1.3caafp-25},
		{-0x1.f0a50ep-3, -0x1.37aa62p-5, -0x1.96882ap-8, -0x1.3f035p-11, -0x1.9e577ap-14, -0x1.7d47c4p-17, -0x1.7fc9a6p-20, -0x1.b7e622p-23},
		{0x1.ef8df4p-4, 0x1.51d732p-5, 0x1.25495cp-7, 0x1.1f3c7ap-10, 0x1.a6218p-13, 0x1.b41ba8p-16, 0x1.e07bfcp-19, 0x1.27eedcp-21},
		{0x1.6dd1c4p-13, -0x1.80644ep-6, -0x1.f07a4p-8, -0x1.3e3fbep-10, -0x1.0d726p-12, -0x1.3ca8dcp-15, -0x1.8109aap-18, -0x1.004754p-20},
		{-0x1.4b2b24p-6, 0x1.7ee6dcp-8, 0x1.046a1p-8, 0x1.dd5b7ap-11, 0x1.deaaf4p-13, 0x1.45d9eep-15, 0x1.b9ff46p-18, 0x1.402536p-20},
		{0x1.08334p-8, 0x1.0105e6p-10, -0x1.2f50dap-10, -0x1.f0a1dap-12, -0x1.354adp-13, -0x1.f5658ep-16, -0x1.81057ep-18, -0x1.32448ep-20},
		{0x1.0fc0bep-9, -0x1.2b0e66p-10, 0x1.bfa4eep-16, 0x1.55602p-13, 0x1.249b3ap-14, 0x1.2763a4p-16, 0x1.06ee64p-18, 0x1.d02168p-21},
		{-0x1.ab3a7ep-11, 0x1.13e7fep-12, 0x1.0b1d6cp-13, -0x1.fa7f0cp-16, -0x1.83760cp-16, -0x1.068a42p-17, -0x1.0e50aep-19, -0x1.0f8186p-21},
		{-0x1.18a8d2p-12, 0x1.01e1f2p-13, -0x1.959cc2p-15, -0x1.90d15ap-17, 0x1.027e4ep-18, 0x1.a86e6ap-19, 0x1.46b366p-20, 0x1.7f691cp-22},
	}
)

// far is a·Φ(-a)·exp(a²/2) for nearEnd ≤ a ≤ 13.243, as a polynomial of a - farCentre: the minimax polynomial of the relative error with its
// coefficients rounded; relative error below 3.1e-8. It is 0.386 to 0.397, nearly the coefficient of degree 0, so no rounding but the last
// counts. In the middle, farCentre was chosen so that this coefficient is a float32 up to a relative 2.5e-10.
const farCentre = 9

var far = []float32{
	0x1.93a64ep-2, 0x1.0b6d0ep-10, -0x1.5498e8p-13, 0x1.7df4b4p-16, -0x1.8f61e2p-19, 0x1.846396p-22, -0x1.56095p-25, 0x1.678afap-28,
	-0x1.d36638p-31, 0x1.38f1fep-34,
}

// phiOrder is the order of the second stage: c looks up the next coefficient, m multiplies and adds, w weaves. On Zen 5 lookups and
// multiply-adds share a port, and how well all ports are used depends on the order alone: this one, found by measuring many, takes 7.4
// cycles a vector, the alternation of c and m 8.3.
const phiOrder = "ccmwmcccwmmcmcmcmwm"

// geluNear returns max(0, x) - a·Φ(-a) with a = |x|, for x ≥ -nearEnd. For x ≥ nearEnd, a stays nearEnd: the product is less than half a unit
// in the last place of x already.
func (b *body) geluNear() *value {
	a := b.within(b.x(), b.num(nearEnd))
	b.note("q = Φ(-a)")
	i := b.index(b.fma(a, a, b.num(4*round)), 0)
	u := b.sub(a, b.lookup(i, phiCentre))
	order := strings.Repeat("cm", len(phi)-1)
	if b.staged {
		b.stage()
		order = phiOrder
	}
	q := b.lookup(i, phi[len(phi)-1])
	var ahead []*value // coefficients that wait for their multiply-add
	k := len(phi) - 1
	for _, step := range order {
		switch step {
		case 'c':
			k--
			ahead = append(ahead, b.lookup(i, phi[k]))
		case 'm':
			q, ahead = b.fma(q, u, ahead[0]), ahead[1:]
		case 'w':
			b.weave()
		}
	}
	b.note("max(0, x) - a·q")
	return b.fms(a, q, b.max(b.num(0), b.again()))
}

// geluFar returns -a·Φ(-a) for x < -nearEnd, as exp(-a²/2)·far(a). The multiplication by 2ⁿ comes last, as all before it are normal numbers.
// From a = 13.24 on, the result is 0.
func (b *body) geluFar() *value {
	a := b.within(b.x(), b.num(13.27))
	b.note("q = far(a)")
	q := b.poly(b.sub(a, b.num(farCentre)), far)
	t, p := b.bell(a)
	b.note("-2ⁿ·q·(1 + p)")
	return b.fms(b.fma(q, p, q), b.pow2(t), b.num(0))
}

// bell returns t and p, of which 2ⁿ·(1 + p) = exp(-a²/2) is made; n is in the low bits of t. Where n is -127, from a = 13.24 on, pow2 of t
// is 0.
func (b *body) bell(a *value) (t, p *value) {
	b.note("a² = r - 2n·ln 2; 2n·high is exact")
	high := float32(math.Round(math.Ln2*0x1p16) / 0x1p16)
	magic := b.num(round + 127)
	t = b.fma(b.mul(a, a), b.num(-log2E/2), magic)
	n := b.sub(t, magic)
	r := b.fma(a, a, b.mul(n, b.num(2*high)))
	r = b.fma(n, b.num(float32(2*(math.Ln2-float64(high)))), r)
	b.note("p = exp(-r/2) - 1")
	var halved []float32
	for i, c := range expNegPoly {
		halved = append(halved, c/float32(int(2)<<i))
	}
	return t, b.mul(b.poly(r, halved), r)
}

// GELU's tanh form is x·sigmoid(v) with v = x·(geluA + geluB·x²): (1 + tanh(v/2))/2 = sigmoid(v).
var (
	geluA = 2 * math.Sqrt(2/math.Pi)
	geluB = geluA * 0.044715
)

// geluTanhExponent returns v at a as z - excess: as v falls to -105, exp(-v) needs more bits of v than a float32 has.
func (b *body) geluTanhExponent(a *value) (z, excess *value) {
	// The high part of geluA has few enough bits for highA - u to be exact.
	highA := float32(math.Round(geluA*0x1p20) / 0x1p20)
	highB := float32(geluB)
	b.note("u + v = A + B·x²")
	h := b.mul(a, a)
	l := b.fms(a, a, h)
	u := b.fma(h, b.num(highB), b.num(highA))
	v := b.fma(h, b.num(highB), b.sub(b.num(highA), u))
	v = b.add(v, b.num(float32(geluA-float64(highA))))
	v = b.fma(h, b.num(float32(geluB-float64(highB))), v)
	v = b.fms(l, b.num(highB), v)
	b.note("x·(u + v) = z - excess")
	z = b.mul(a, u)
	return z, b.fms(a, v, b.fms(a, u, z))
}

// geluTanh returns x·sigmoid(v). Below -10.7 it is -0, and from 6 on it is x.
func (b *body) geluTanh() *value {
	x := b.max(b.num(-10.7), b.x())
	z, excess := b.geluTanhExponent(b.min(b.num(6), x))
	return b.mul(b.sigmoid(z, excess), x)
}
