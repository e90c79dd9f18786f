package mat

import "math"

// maxAngle is less than 2²⁰ quarter turns.
const maxAngle = 1.6e6

// Sin returns the sine of x in radians, the same on every architecture, which math.Sin is not. Rounded to a float32 it is at most one unit in
// the last place off. It is NaN for |x| > 1.6·10⁶.
func Sin(x float64) float64 {
	r, quarter := quarterTurn(x)
	return turn(r, quarter)
}

// Cos returns the cosine of x in radians, as Sin does.
func Cos(x float64) float64 {
	r, quarter := quarterTurn(x)
	return turn(r, quarter+1)
}

// quarterTurn returns x = r + n·π/2 with |r| ≤ π/4, about, and n modulo 4.
func quarterTurn(x float64) (r float64, quarter int) {
	// π/2 in parts of 33 bits: their products with n < 2²⁰ are exact, and so are the first differences.
	const (
		high   = 0x1.921fb544p+0
		middle = 0x1.0b4611a6p-34
		low    = 0x1.3198a2e037073p-69
	)
	if !(math.Abs(x) <= maxAngle) {
		return math.NaN(), 0
	}
	n := math.Floor(float64(x*(2/math.Pi)) + 0.5)
	r = x - float64(n*high)
	r -= float64(n * middle)
	r -= float64(n * low)
	return r, int(n - 4*math.Floor(n/4))
}

// turn returns the sine of r + quarter·π/2, by the series of sine and cosine for |r| ≤ π/4: the first terms left out are below 5·10⁻¹⁷.
func turn(r float64, quarter int) float64 {
	z := float64(r * r)
	var v float64
	if quarter%2 == 0 {
		v = 1.0 / (1 * 2 * 3 * 4 * 5 * 6 * 7 * 8 * 9 * 10 * 11 * 12 * 13 * 14 * 15)
		v = 1.0/(1*2*3*4*5*6*7*8*9*10*11*12*13) - float64(v*z)
		v = 1.0/(1*2*3*4*5*6*7*8*9*10*11) - float64(v*z)
		v = 1.0/(1*2*3*4*5*6*7*8*9) - float64(v*z)
		v = 1.0/(1*2*3*4*5*6*7) - float64(v*z)
		v = 1.0/(1*2*3*4*5) - float64(v*z)
		v = 1.0/(1*2*3) - float64(v*z)
		v = r - float64(float64(v*z)*r)
	} else {
		v = 1.0 / (1 * 2 * 3 * 4 * 5 * 6 * 7 * 8 * 9 * 10 * 11 * 12 * 13 * 14 * 15 * 16)
		v = 1.0/(1*2*3*4*5*6*7*8*9*10*11*12*13*14) - float64(v*z)
		v = 1.0/(1*2*3*4*5*6*7*8*9*10*11*12) - float64(v*z)
		v = 1.0/(1*2*3*4*5*6*7*8*9*10) - float64(v*z)
		v = 1.0/(1*2*3*4*5*6*7*8) - float64(v*z)
		v = 1.0/(1*2*3*4*5*6) - float64(v*z)
		v = 1.0/(1*2*3*4) - float64(v*z)
		v = 1.0/2 - float64(v*z)
		v = 1 - float64(v*z)
	}
	if quarter%4 >= 2 {
		return -v
	}
	return v
}
