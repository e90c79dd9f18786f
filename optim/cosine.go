package optim

import "math"

// cosPi returns cos(π·x), the same on every architecture, which math.Cos is not.
func cosPi(x float64) float64 {
	x = math.Abs(x)
	x -= 2 * math.Floor(x/2) // exact, as is what follows but for the products with π
	if x > 1 {
		x = 2 - x
	}
	switch {
	case x > 0.75:
		return -cosSeries(1 - x)
	case x > 0.25:
		return sinSeries(0.5 - x)
	}
	return cosSeries(x)
}

// cosSeries returns cos(π·x) for 0 ≤ x ≤ 1/4.
func cosSeries(x float64) float64 {
	y := math.Pi * x
	return alternating(float64(y*y), 18)
}

// sinSeries returns sin(π·x) for -1/4 ≤ x ≤ 1/4.
func sinSeries(x float64) float64 {
	y := math.Pi * x
	return float64(y * alternating(float64(y*y), 19))
}

// alternating returns 1 - z/(m·(m-1))·(1 - z/((m+2)·(m+1))·(…)), where the last factor has n·(n-1) and m is 2 or 3.
func alternating(z float64, n int) float64 {
	sum := 1.0
	for ; n > 1; n -= 2 {
		sum = 1 - float64(z/float64(n*(n-1))*sum)
	}
	return sum
}
