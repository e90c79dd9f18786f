package mat

import "math"

// Log returns the natural logarithm of x.
func Log(x float32) float32 { return float32(math.Log(float64(x))) }

// Sin returns the sine of x radians.
func Sin(x float32) float32 { return float32(math.Sin(float64(x))) }

// Cos returns the cosine of x radians.
func Cos(x float32) float32 { return float32(math.Cos(float64(x))) }

// Pow returns xʸ for x > 0.
func Pow(x, y float32) float32 { return float32(math.Pow(float64(x), float64(y))) }
