package mat

import (
	"math"
	"testing"
)

func TestMaxIndex(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	long := make([]float32, 5000)
	long[1500], long[1023], long[1024], long[4999] = nan, 2, 3, 3
	engines(t, func(t *testing.T, e *Engine) {
		for _, c := range []struct {
			x    []float32
			want int
		}{
			{nil, -1},
			{[]float32{nan, nan}, -1},
			{[]float32{nan, -inf, -inf}, 1},
			{[]float32{1, inf, inf}, 1},
			{[]float32{-3, -2, nan, -2}, 1},
			{long, 1024},
			{long[1025:], 3974},
			{append(make([]float32, 1024), 0, nan), 0},
		} {
			if got := e.MaxIndex(c.x); got != c.want {
				t.Errorf("%d values: got %d, want %d", len(c.x), got, c.want)
			}
		}
	})
}
