package mat

import "math"

// logarithm returns the natural logarithm of x.
func logarithm(x float32) float32 {
	switch {
	case x == 0:
		return negInf
	case !(x > 0) || x > math.MaxFloat32:
		return x + float32(math.Sqrt(float64(x))) // NaN where x is negative, otherwise x
	}
	return float32(Log(float64(x)))
}
