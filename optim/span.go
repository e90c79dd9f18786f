package optim

import "github.com/polytropon/polytropon/autodiff"

// spanSize is how many elements a worker takes at a time: some ten microseconds of work.
const spanSize = 16384

// A span is the elements from ≤ i < to of a parameter.
type span struct{ param, from, to int }

// spans cuts all parameters into spans, in order.
func spans(params []*autodiff.Param) []span {
	var s []span
	for i, p := range params {
		for from := 0; from < len(p.Value.Data); from += spanSize {
			s = append(s, span{i, from, min(from+spanSize, len(p.Value.Data))})
		}
	}
	return s
}

// fma returns x·y + z as if rounded once. The product is exact in float64, so that it makes no difference whether the compiler fuses; the sum is
// rounded to float64 before float32, which shows in one of 2²⁹ results.
func fma(x, y, z float32) float32 { return float32(float64(x)*float64(y) + float64(z)) }
