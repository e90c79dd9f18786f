package optim

import "math"

// power returns xʸ for x ≥ 0 and y ≠ 0, the same on every architecture: math.Pow is not, as the compiler may fuse its operations. Its
// error is some 2⁻⁵² of the result, and of y·ln x where that is more than 1.
func power(x, y float64) float64 {
	switch {
	case x == 0 && y > 0:
		return 0
	case x == 0:
		return math.Inf(1)
	}
	return exponential(float64(y * logarithm(x)))
}

// logarithm returns ln x for finite x > 0: with x = f·2ⁿ and s = (f-1)/(f+1) it is n·ln 2 + 2·(s + s³/3 + s⁵/5 + …).
func logarithm(x float64) float64 {
	f, n := math.Frexp(x)
	if f < math.Sqrt2/2 {
		f, n = 2*f, n-1
	}
	s := (f - 1) / (f + 1)
	z := float64(s * s)
	var sum float64
	for k := 21; k > 0; k -= 2 {
		sum = float64(sum*z) + 1/float64(k)
	}
	return float64(2*float64(s*sum)) + float64(float64(n)*math.Ln2)
}

// exponential returns eˣ: with x = n·ln 2 + r it is 2ⁿ·(1 + r·(1 + r/2·(1 + r/3·(…)))).
func exponential(x float64) float64 {
	const ln2High, ln2Low = 0x1.62e42feep-1, 0x1.a39ef35793c76p-33 // the high part has few enough bits that n times it is exact
	switch {
	case x < -746:
		return 0
	case x > 710:
		return math.Inf(1)
	}
	n := math.Floor(float64(x/math.Ln2) + 0.5)
	r := (x - float64(n*ln2High)) - float64(n*ln2Low)
	sum := 1.0
	for k := 14; k > 0; k-- {
		sum = float64(float64(r/float64(k))*sum) + 1
	}
	return math.Ldexp(sum, int(n))
}
