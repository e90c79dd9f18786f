package mat

import "math"

// logarithm returns the natural logarithm of x, the same on every architecture: math.Log is not, as the compiler may fuse its
// operations. With x = f·2ⁿ and s = (f-1)/(f+1) it is n·ln 2 + 2·(s + s³/3 + s⁵/5 + …), in float64.
func logarithm(x float32) float32 {
	switch {
	case x == 0:
		return negInf
	case !(x > 0) || x > math.MaxFloat32:
		return x + float32(math.Sqrt(float64(x))) // NaN where x is negative, otherwise x
	}
	f, n := math.Frexp(float64(x))
	if f < math.Sqrt2/2 {
		f, n = 2*f, n-1
	}
	s := (f - 1) / (f + 1)
	z := float64(s * s)
	var sum float64
	for k := 19; k > 0; k -= 2 {
		sum = float64(sum*z) + 1/float64(k)
	}
	return float32(float64(2*float64(s*sum)) + float64(float64(n)*math.Ln2))
}
