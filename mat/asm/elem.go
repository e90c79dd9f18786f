package asm

// Elem is the family of element and row kernels of a level. Every operand of a call has dst's length (or x's, where there is no dst),
// and dst may be an operand but must not overlap one otherwise.
type Elem struct {
	Exp, Sigmoid, Tanh, SiLU, GELU, GELUTanh, ReLU func(dst, x []float32)
	Add, Sub, Mul, GateSiLU, GateGELUTanh          func(dst, x, y []float32)

	// The gradient y times the derivative at x.
	ReLUBackward, SigmoidBackward, TanhBackward, SiLUBackward, GELUBackward, GELUTanhBackward func(dst, x, y []float32)

	Scale  func(dst, x []float32, s float32)          // x·s
	Div    func(dst, x []float32, d, inverse float32) // x/d, correctly rounded where inverse is 1/d and all numbers are normal or 0
	DivMul func(dst, x, w []float32, d float32)       // x/d·w

	DivExact func(dst, x []float32, d float32) // x/d, always correctly rounded, in four times the time of Div

	AddScaled func(dst, x, y []float32, s float32) // x + y·s, one rounding
	SubMul    func(dst, x, y []float32, s float32) // (x - s)·y

	MulSubDiv func(dst, x, y, z []float32, s, d float32) // (x·y - z·s)/d, rounding x·y, the difference and the quotient
	AddDivMul func(z, x, y []float32, d float32)         // z = z + x/d·y, rounding each

	// Rope turns the pairs (x, y): x·cos - y·sin·sign and y·cos + x·sin·sign, in place, rounding each product and sum. No two of the slices overlap.
	Rope func(x, y, cos, sin []float32, sign float32)

	// Adam is a step of Adam for the parameters w with the gradients g and the means m of gradients and v of their squares, rounding each operation but
	// the two with FMA:
	//
	//	m = FMA(g - m, toward, m), or FMA(g - m, toward, g) where toward is not above 0
	//	v = FMA(g·squareGain, g, v·squareKeep)
	//	w = w·keep + m·rate/(√v/scale + eps)
	Adam func(w, g, m, v []float32, keep, toward, squareKeep, squareGain, scale, eps, rate float32)

	// The reductions use 32 lanes, element i in lane i mod 32, and add lane i+16 to lane i, then i+8, i+4, i+2 and i+1.
	Max           func(x []float32) float32                          // -Inf where x is empty; passes over NaN
	Sum           func(x []float32) float32                          // by addition
	Dot           func(x, y []float32) float32                       // by fused multiply-add
	MulDot        func(x, y, z []float32) float32                    // of x·y, rounded, and z by fused multiply-add
	DivMulSquares func(dst, x, w, next []float32, d float32) float32 // x/d·w; returns the Dot of next with itself
	SumExp        func(x []float32, shift float32) float32           // of 2⁶⁴·exp(x - shift) for x ≤ shift, 0 for x - shift < -99.5·ln 2
	ExpSum        func(dst, x []float32, shift float32) float32      // the same, and the terms in dst
}
