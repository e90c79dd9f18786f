package main

import "math"

// tail is Φ(-a)·exp(a²/2), where Φ is the normal distribution, as polynomials of a - centre in the eight parts of 0 ≤ a ≤ 14.5 in which
// a+1 has the same exponent and first bit of the fraction. Row k has the coefficients of degree k; relative error below 3.7e-8. In the
// middle of each part, centre was chosen so that the coefficient of degree 0 is a float32 up to a relative 1.5e-9.
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

// nearEnd is where phi ends, as nearEnd·(nearEnd + 1/4) is just below 30.
const nearEnd = 5.353

// phi is Φ(-a) for 0 ≤ a ≤ nearEnd, as polynomials of a - centre in the eight parts in which a·(a + 1/4)/4 rounds to the same integer. Row k
// has the coefficients of degree k; relative error below 3.8e-8, and 1.5e-8 in the first part. They are the minimax polynomials of the
// relative error with their coefficients rounded; each centre is the one at which that and the roundings of the evaluation do least harm.
var (
	phiCentre = [8]float32{0.78515625, 1.978515625, 2.880859375, 3.3994140625, 3.9912109375, 4.4716796875, 4.9189453125, 5.31640625}
	phi       = [][8]float32{
		{0x1.babd18p-3, 0x1.8827dcp-6, 0x1.03e93p-9, 0x1.620dc4p-12, 0x1.13b854p-15, 0x1.04686ep-18, 0x1.d32412p-22, 0x1.c690b2p-25},
		{-0x1.2c279ep-2, -0x1.cd9b44p-5, -0x1.9c4bb8p-8, -0x1.43a9b8p-10, -0x1.22b192p-13, -0x1.307d2p-16, -0x1.2a4702p-19, -0x1.381ed6p-22},
		{0x1.d7566ap-4, 0x1.c8a5c6p-5, 0x1.28f10ap-7, 0x1.1310eep-9, 0x1.220e0cp-12, 0x1.5464e2p-15, 0x1.6ecd7p-18, 0x1.9ed6eep-21},
		{0x1.32fedep-6, -0x1.c07408p-6, -0x1.f594fap-8, -0x1.1cb746p-9, -0x1.69aa7p-12, -0x1.e200eep-15, -0x1.20494cp-17, -0x1.62926ep-20},
		{-0x1.768a0cp-6, 0x1.1678b4p-8, 0x1.064372p-8, 0x1.883db8p-10, 0x1.38879cp-12, 0x1.e21b06p-15, 0x1.43f23cp-17, 0x1.b4bd3p-20},
		{0x1.93c39p-11, 0x1.3db4dcp-9, -0x1.2f834p-10, -0x1.6a8a2cp-11, -0x1.866abap-13, -0x1.66e26p-15, -0x1.13499cp-17, -0x1.9a2526p-20},
		{0x1.846d94p-9, -0x1.689214p-10, 0x1.8436b4p-16, 0x1.940fcep-13, 0x1.60b514p-14, 0x1.96ae54p-16, 0x1.7103b6p-18, 0x1.39efcap-20},
		{-0x1.934b52p-12, 0x1.8e6ad8p-14, 0x1.14e2b6p-13, -0x1.5f7402p-17, -0x1.b84eep-16, -0x1.55e3ecp-17, -0x1.5c5b6p-19, -0x1.322528p-21},
		{-0x1.378ddep-12, 0x1.44f35p-13, -0x1.80a474p-15, -0x1.48f758p-16, 0x1.5641fep-19, 0x1.f9b508p-19, 0x1.c3311cp-20, 0x1.22ced8p-21},
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

// normalTail returns q = tail(a) for 0 ≤ a ≤ 14.5, and t and p, of which 2ⁿ·(1 + p) = exp(-a²/2) is made; n is in the low bits of t. Where n
// is -127, from 13.24 on, pow2 of t is 0.
func (b *body) normalTail(a *value) (q, t, p *value) {
	b.note("q = tail(a)")
	i := b.index(b.add(a, b.num(1)), 22)
	u := b.sub(a, b.part(i, tailCentre))
	q = b.part(i, tail[len(tail)-1])
	for k := len(tail) - 2; k >= 0; k-- {
		q = b.fma(q, u, b.part(i, tail[k]))
	}
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
	return q, t, b.mul(b.poly(r, halved), r)
}

// geluNear returns max(0, x) - a·Φ(-a) with a = |x|, for x ≥ -nearEnd. For x ≥ nearEnd, a stays nearEnd: the product is less than half a unit
// in the last place of x already.
func (b *body) geluNear() *value {
	a := b.min(b.num(nearEnd), b.abs(b.x()))
	b.note("q = Φ(-a)")
	i := b.index(b.fma(a, b.add(a, b.num(0.25)), b.num(4*round)), 0)
	u := b.sub(a, b.lookup(i, phiCentre))
	q := b.lookup(i, phi[len(phi)-1])
	for k := len(phi) - 2; k >= 0; k-- {
		q = b.fma(q, u, b.lookup(i, phi[k]))
	}
	b.note("max(0, x) - a·q")
	return b.fms(a, q, b.max(b.num(0), b.x()))
}

// geluFar returns -a·Φ(-a) for x < 0, with Φ(-a) = exp(-a²/2)·tail(a). Below -13.24 it is 0.
func (b *body) geluFar() *value {
	a := b.min(b.num(13.27), b.abs(b.x()))
	q, t, p := b.normalTail(a)
	b.note("-a·2ⁿ·q·(1 + p)")
	s := b.mul(q, b.pow2(t))
	return b.fms(a, b.fma(s, p, s), b.num(0))
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
