package mat

import "math"

// Log returns the natural logarithm of x > 0, within 1e-15 of it relative to the larger of 1 and the result, the same on every architecture: math.Log
// is not, as the compiler may fuse its operations. With x = f·2ⁿ and s = (f-1)/(f+1) it is n·ln 2 + 2·(s + s³/3 + s⁵/5 + …).
func Log(x float64) float64 {
	f, n := math.Frexp(x)
	if f < math.Sqrt2/2 {
		f, n = 2*f, n-1
	}
	s := (f - 1) / (f + 1)
	z := float64(s * s)
	var sum float64
	for k := 19; k > 0; k -= 2 {
		sum = float64(sum*z) + 1/float64(k)
	}
	return float64(2*float64(s*sum)) + float64(float64(n)*math.Ln2)
}

// Exp returns eˣ, for |x| < 700 within a relative 1e-15 of it, the same on every architecture. With x = n·ln 2 + r and |r| ≤ ln 2 / 2 it is
// 2ⁿ·(1 + r + r²/2! + …).
func Exp(x float64) float64 {
	const (
		high = 0x1.62e42feep-1       // ln 2 in 32 bits: a small multiple is exact
		low  = 0x1.a39ef35793c76p-33 // the rest
	)
	n := math.Floor(float64(x*(1/math.Ln2)) + 0.5)
	r := x - float64(n*high) - float64(n*low)
	sum := 1.0
	for k := 15.0; k > 0; k-- {
		sum = float64(float64(sum*r)/k) + 1
	}
	return math.Ldexp(sum, int(n))
}

// Pow returns xʸ for x > 0 and |y·ln x| < 700, within a relative 1e-15·(1 + |y·ln x|) of it, the same on every architecture.
func Pow(x, y float64) float64 { return Exp(float64(y * Log(x))) }
