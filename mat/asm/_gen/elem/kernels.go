package main

import "math"

// A kernel is one function of every level.
type kernel struct {
	field   string   // of Elem
	name    string   // of the functions, less the level
	inputs  []string // vector arguments
	dst     bool     // whether there is a vector result; otherwise, inputs may be written
	scalars []string // scalar arguments
	start   float32  // the value of an empty reduction
	fold    op       // how lanes are joined: sum or most; 0 where it is no reduction
	body    func(b *body)

	// A kernel without body has two: far for x < from, near elsewhere. Most iterations need only near.
	near, far func(b *body) *value
	from      float32
	staged    bool // whether near has two stages, where there are registers for them
}

// bodies returns the bodies of the loop, where no x is below from; of an iteration with any elements; and of the tail.
func (k *kernel) bodies() (loop, any, tail *body) {
	if k.near == nil {
		b := k.build(k.body, body{})
		return b, b, k.build(k.body, body{tail: true})
	}
	both := func(b *body) {
		near := k.near(b)
		b.store(b.below(b.x(), k.from, k.far(b), near))
	}
	return k.build(storing(k.near), body{}), k.build(both, body{}), k.build(both, body{tail: true})
}

// storing returns the body that stores a value.
func storing(f func(b *body) *value) func(b *body) { return func(b *body) { b.store(f(b)) } }

var kernels = []*kernel{
	{field: "Exp", name: "exp", inputs: []string{"x"}, dst: true, body: expBody},
	{field: "Sigmoid", name: "sigmoid", inputs: []string{"x"}, dst: true, body: sigmoidBody},
	{field: "Tanh", name: "tanh", inputs: []string{"x"}, dst: true, body: tanhBody},
	{field: "SiLU", name: "silu", inputs: []string{"x"}, dst: true, body: storing((*body).silu)},
	{field: "GELU", name: "gelu", inputs: []string{"x"}, dst: true, near: (*body).geluNear, far: (*body).geluFar, from: -nearEnd, staged: true},
	{field: "GELUTanh", name: "geluTanh", inputs: []string{"x"}, dst: true, body: storing((*body).geluTanh)},
	{field: "ReLU", name: "relu", inputs: []string{"x"}, dst: true, body: func(b *body) { b.store(b.max(b.num(0), b.x())) }},
	{field: "Add", name: "add", inputs: []string{"x", "y"}, dst: true, body: func(b *body) { b.store(b.add(b.x(), b.y())) }},
	{field: "Sub", name: "sub", inputs: []string{"x", "y"}, dst: true, body: func(b *body) { b.store(b.sub(b.x(), b.y())) }},
	{field: "Mul", name: "mul", inputs: []string{"x", "y"}, dst: true, body: func(b *body) { b.store(b.mul(b.x(), b.y())) }},
	{field: "GateSiLU", name: "gateSiLU", inputs: []string{"x", "y"}, dst: true, body: func(b *body) { b.store(b.mul(b.silu(), b.y())) }},
	{field: "GateGELUTanh", name: "gateGELUTanh", inputs: []string{"x", "y"}, dst: true, body: func(b *body) { b.store(b.mul(b.geluTanh(), b.y())) }},
	{field: "ReLUBackward", name: "reluBackward", inputs: []string{"x", "y"}, dst: true, body: reluBackwardBody},
	{field: "SigmoidBackward", name: "sigmoidBackward", inputs: []string{"x", "y"}, dst: true, body: sigmoidBackwardBody},
	{field: "TanhBackward", name: "tanhBackward", inputs: []string{"x", "y"}, dst: true, body: tanhBackwardBody},
	{field: "SiLUBackward", name: "siluBackward", inputs: []string{"x", "y"}, dst: true, body: siluBackwardBody},
	{field: "GELUBackward", name: "geluBackward", inputs: []string{"x", "y"}, dst: true, body: geluBackwardBody},
	{field: "GELUTanhBackward", name: "geluTanhBackward", inputs: []string{"x", "y"}, dst: true, body: geluTanhBackwardBody},
	{field: "Scale", name: "scale", inputs: []string{"x"}, dst: true, scalars: []string{"s"}, body: func(b *body) { b.store(b.mul(b.x(), b.args[0])) }},
	{field: "AddScaled", name: "addScaled", inputs: []string{"x", "y"}, dst: true, scalars: []string{"s"}, body: func(b *body) { b.store(b.fma(b.y(), b.args[0], b.x())) }},
	{field: "SubMul", name: "subMul", inputs: []string{"x", "y"}, dst: true, scalars: []string{"s"}, body: func(b *body) { b.store(b.mul(b.sub(b.x(), b.args[0]), b.y())) }},
	{field: "MulSubDiv", name: "mulSubDiv", inputs: []string{"x", "y", "z"}, dst: true, scalars: []string{"s", "d"}, body: mulSubDivBody},
	{field: "AddDivMul", name: "addDivMul", inputs: []string{"z", "x", "y"}, scalars: []string{"d"}, body: addDivMulBody},
	{field: "MulDot", name: "mulDot", inputs: []string{"x", "y", "z"}, fold: sum, body: func(b *body) { b.sumFMA(b.mul(b.x(), b.y()), b.next(2)) }},
	{field: "Rope", name: "rope", inputs: []string{"x", "y", "cos", "sin"}, scalars: []string{"sign"}, body: ropeBody},
	{field: "Div", name: "div", inputs: []string{"x"}, dst: true, scalars: []string{"d", "inverse"}, body: divBody},
	{field: "DivMul", name: "divMul", inputs: []string{"x", "w"}, dst: true, scalars: []string{"d"}, body: func(b *body) { b.store(b.mul(b.div(b.x(), b.args[0]), b.y())) }},
	{field: "Max", name: "max", inputs: []string{"x"}, start: float32(math.Inf(-1)), fold: most, body: maxBody},
	{field: "Sum", name: "sum", inputs: []string{"x"}, fold: sum, body: func(b *body) { b.sum(b.x()) }},
	{field: "Dot", name: "dot", inputs: []string{"x", "y"}, fold: sum, body: func(b *body) { b.sumFMA(b.x(), b.y()) }},
	{field: "DivMulSquares", name: "divMulSquares", inputs: []string{"x", "w", "next"}, dst: true, scalars: []string{"d"}, fold: sum, body: divMulSquaresBody},
	{field: "SumExp", name: "sumExp", inputs: []string{"x"}, scalars: []string{"shift"}, fold: sum, body: func(b *body) { b.sum(b.expShifted()) }},
	{field: "ExpSum", name: "expSum", inputs: []string{"x"}, dst: true, scalars: []string{"shift"}, fold: sum, body: func(b *body) {
		e := b.expShifted()
		b.store(e)
		b.sum(e)
	}},
	{field: "DivExact", name: "divExact", inputs: []string{"x"}, dst: true, scalars: []string{"d"}, body: func(b *body) { b.store(b.div(b.x(), b.args[0])) }},
	{field: "Adam", name: "adam", inputs: []string{"w", "g", "m", "v"}, scalars: []string{"keep", "toward", "squareKeep", "squareGain", "scale", "eps", "rate"}, body: adamBody},
}

// divMulSquaresBody does two rows of RMSNorm at a time, as one is bound by the division and the other by the latency of the addition.
func divMulSquaresBody(b *body) {
	quotient := b.div(b.x(), b.args[0])
	next := b.next(2)
	b.sumFMA(next, next)
	b.store(b.mul(quotient, b.y()))
}

// mulSubDivBody, mulDot and addDivMulBody are the parts of RMSNorm's gradients.
func mulSubDivBody(b *body) {
	product := b.mul(b.x(), b.y())
	b.store(b.div(b.fms(b.next(2), b.args[0], product), b.args[1]))
}

func addDivMulBody(b *body) {
	z := b.x()
	b.storeInput(0, b.add(z, b.mul(b.div(b.next(1), b.args[0]), b.next(2))))
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

// ropeBody turns x + iy by an angle, in place, or back where sign is -1.
func ropeBody(b *body) {
	x, y := b.x(), b.y()
	cos, sin := b.next(2), b.mul(b.next(3), b.args[0])
	b.storeInput(0, b.sub(b.mul(x, cos), b.mul(y, sin)))
	b.storeInput(1, b.add(b.mul(y, cos), b.mul(x, sin)))
}

// adamBody is a step of Adam: w is the parameter, g its gradient, m and v their means. toward is what m goes toward g by, or that less 1, and so not
// above 0, where it is half or more: then it goes back from g.
func adamBody(b *body) {
	keep, toward, squareKeep, squareGain, scale, eps, rate := b.args[0], b.args[1], b.args[2], b.args[3], b.args[4], b.args[5], b.args[6]
	w, g, m, v := b.mul(b.x(), keep), b.next(1), b.next(2), b.next(3)
	m = b.fma(b.sub(g, m), toward, b.below(toward, 0x1p-126, g, m))
	b.storeInput(2, m)
	v = b.fma(b.mul(g, squareGain), g, b.mul(v, squareKeep))
	b.storeInput(3, v)
	root := b.add(b.div(b.sqrt(v), scale), eps)
	b.storeInput(0, b.add(w, b.div(b.mul(m, rate), root)))
}

// maxBody passes over NaN.
func maxBody(b *body) { b.most(b.valid(b.x(), b.num(float32(math.Inf(-1))))) }
