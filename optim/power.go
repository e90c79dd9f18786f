package optim

import (
	"math"

	"github.com/polytropon/polytropon/mat"
)

// power returns xʸ for x ≥ 0 and y ≠ 0, the same on every architecture.
func power(x, y float64) float64 {
	switch {
	case x == 0 && y > 0:
		return 0
	case x == 0:
		return math.Inf(1)
	}
	return mat.Pow(x, y)
}
