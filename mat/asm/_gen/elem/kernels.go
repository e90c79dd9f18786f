package main

import "math"

// A kernel is one function of every level.
type kernel struct {
	field   string   // of Elem
	name    string   // of the functions, less the level
	inputs  []string // vector arguments
	dst     bool     // whether there is a vector result
	scalars []string // scalar arguments
	start   float32  // the value of an empty reduction
	fold    op       // how lanes are joined: sum or most; 0 where it is no reduction
	body    func(b *body)
}

var kernels = []*kernel{
	{field: "Exp", name: "exp", inputs: []string{"x"}, dst: true, body: expBody},
	{field: "Sigmoid", name: "sigmoid", inputs: []string{"x"}, dst: true, body: sigmoidBody},
	{field: "Tanh", name: "tanh", inputs: []string{"x"}, dst: true, body: tanhBody},
	{field: "SiLU", name: "silu", inputs: []string{"x"}, dst: true, body: func(b *body) { b.store(b.silu()) }},
	{field: "GELU", name: "gelu", inputs: []string{"x"}, dst: true, body: geluBody},
	{field: "GELUTanh", name: "geluTanh", inputs: []string{"x"}, dst: true, body: func(b *body) { b.store(b.geluTanh()) }},
	{field: "ReLU", name: "relu", inputs: []string{"x"}, dst: true, body: func(b *body) { b.store(b.max(b.num(0), b.x())) }},
	{field: "Add", name: "add", inputs: []string{"x", "y"}, dst: true, body: func(b *body) { b.store(b.add(b.x(), b.y())) }},
	{field: "Mul", name: "mul", inputs: []string{"x", "y"}, dst: true, body: func(b *body) { b.store(b.mul(b.x(), b.y())) }},
	{field: "GateSiLU", name: "gateSiLU", inputs: []string{"x", "y"}, dst: true, body: func(b *body) { b.store(b.mul(b.silu(), b.y())) }},
	{field: "GateGELUTanh", name: "gateGELUTanh", inputs: []string{"x", "y"}, dst: true, body: func(b *body) { b.store(b.mul(b.geluTanh(), b.y())) }},
	{field: "Scale", name: "scale", inputs: []string{"x"}, dst: true, scalars: []string{"s"}, body: func(b *body) { b.store(b.mul(b.x(), b.args[0])) }},
	{field: "Div", name: "div", inputs: []string{"x"}, dst: true, scalars: []string{"d", "inverse"}, body: divBody},
	{field: "DivMul", name: "divMul", inputs: []string{"x", "w"}, dst: true, scalars: []string{"d"}, body: func(b *body) { b.store(b.mul(b.div(b.x(), b.args[0]), b.y())) }},
	{field: "Max", name: "max", inputs: []string{"x"}, start: float32(math.Inf(-1)), fold: most, body: maxBody},
	{field: "Sum", name: "sum", inputs: []string{"x"}, fold: sum, body: func(b *body) { b.sum(b.x()) }},
	{field: "Dot", name: "dot", inputs: []string{"x", "y"}, fold: sum, body: func(b *body) { b.sumFMA(b.x(), b.y()) }},
	{field: "SumExp", name: "sumExp", inputs: []string{"x"}, scalars: []string{"shift"}, fold: sum, body: func(b *body) { b.sum(b.expShifted()) }},
	{field: "ExpSum", name: "expSum", inputs: []string{"x"}, dst: true, scalars: []string{"shift"}, fold: sum, body: func(b *body) {
		e := b.expShifted()
		b.store(e)
		b.sum(e)
	}},
}

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

// part looks up the value for the part of the index: the first parts have indices 6 and 7, as the exponent of 1 is 127.
func (b *body) part(index *value, parts [8]float32) *value {
	var table [8]float32
	for i, v := range parts {
		table[(2*127+i)%8] = v
	}
	return b.lookup(index, table)
}

// geluBody computes max(0, x) - a·Φ(-a) for a = |x|, with Φ(-a) = exp(-a²/2)·tail(a). Where n is -127, below -13.24, 2ⁿ comes out as
// 0, and so does the result.
func geluBody(b *body) {
	a := b.min(b.num(13.27), b.abs(b.x()))
	b.note("q = tail(a)")
	i := b.index(b.add(a, b.num(1)))
	u := b.sub(a, b.part(i, tailCentre))
	q := b.part(i, tail[len(tail)-1])
	for k := len(tail) - 2; k >= 0; k-- {
		q = b.fma(q, u, b.part(i, tail[k]))
	}
	b.note("a² = r - 2n·ln 2; 2n·high is exact")
	high := float32(math.Round(math.Ln2*0x1p16) / 0x1p16)
	magic := b.num(round + 127)
	t := b.fma(b.mul(a, a), b.num(-log2E/2), magic)
	n := b.sub(t, magic)
	r := b.fma(a, a, b.mul(n, b.num(2*high)))
	r = b.fma(n, b.num(float32(2*(math.Ln2-float64(high)))), r)
	b.note("p = exp(-r/2) - 1")
	var halved []float32
	for i, c := range expNegPoly {
		halved = append(halved, c/float32(int(2)<<i))
	}
	p := b.mul(b.poly(r, halved), r)
	b.note("max(0, x) - a·2ⁿ·q·(1 + p)")
	s := b.mul(q, b.pow2(t))
	b.store(b.fms(a, b.fma(s, p, s), b.max(b.num(0), b.x())))
}

// GELU's tanh form is x·sigmoid(v) with v = x·(geluA + geluB·x²): (1 + tanh(v/2))/2 = sigmoid(v).
var (
	geluA = 2 * math.Sqrt(2/math.Pi)
	geluB = geluA * 0.044715
)

// geluTanh returns x·sigmoid(v). As v falls to -105, exp(-v) needs more bits of v than a float32 has: v is z - excess. Below -10.7
// the result is -0, and from 6 on it is x.
func (b *body) geluTanh() *value {
	// The high part of geluA has few enough bits for highA - u to be exact.
	highA := float32(math.Round(geluA*0x1p20) / 0x1p20)
	highB := float32(geluB)
	x := b.max(b.num(-10.7), b.x())
	a := b.min(b.num(6), x)
	b.note("u + v = A + B·x²")
	h := b.mul(a, a)
	l := b.fms(a, a, h)
	u := b.fma(h, b.num(highB), b.num(highA))
	v := b.fma(h, b.num(highB), b.sub(b.num(highA), u))
	v = b.add(v, b.num(float32(geluA-float64(highA))))
	v = b.fma(h, b.num(float32(geluB-float64(highB))), v)
	v = b.fms(l, b.num(highB), v)
	b.note("x·(u + v) = z - excess")
	z := b.mul(a, u)
	excess := b.fms(a, v, b.fms(a, u, z))
	return b.mul(b.sigmoid(z, excess), x)
}

// divBody divides by multiplying with the inverse and correcting twice. The first correction leaves a quotient less than one unit in
// the last place off; by a theorem of Markstein the second then gives the correctly rounded one, where inverse is 1/d correctly rounded
// and nothing underflows. That is four times as fast as dividing.
func divBody(b *body) {
	d, inverse := b.args[0], b.args[1]
	q := b.mul(b.x(), inverse)
	q = b.fma(b.fms(q, d, b.x()), inverse, q)
	q = b.fma(b.fms(q, d, b.x()), inverse, q)
	b.store(q)
}

// maxBody passes over NaN.
func maxBody(b *body) { b.most(b.valid(b.x(), b.num(float32(math.Inf(-1))))) }

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
