package mat

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// BenchmarkMul reports the rate of products and their share of what one core can do without memory.
func BenchmarkMul(b *testing.B) {
	shapes := []shape{
		{64, 64, 64}, {128, 128, 128}, {256, 256, 256}, {512, 512, 512}, {1024, 1024, 1024}, {2048, 2048, 2048}, {512, 512, 2048},
		{512, 2048, 512}, {1, 4096, 4096}, {4, 2048, 2048}, {16, 2048, 2048}, {512, 1024, 8}, {512, 1024, 16}, {512, 8, 1024},
	}
	for threads := 1; threads <= 2; threads++ {
		e := newEngine(b, threads)
		for _, s := range shapes {
			rnd := rand.New(rand.NewPCG(1, 2))
			a, w, c := random(rnd, s.m, s.k, 0), random(rnd, s.k, s.n, 0), New(s.m, s.n)
			p := Pack(e, w.Data, s.k, s.n, s.n)
			name := fmt.Sprintf("%d·%d·%d/threads=%d", s.m, s.k, s.n, threads)
			b.Run("packed/"+name, func(b *testing.B) { rate(b, e, s, func() { e.Mul(c, a, p) }) })
			b.Run("unpacked/"+name, func(b *testing.B) { rate(b, e, s, func() { e.MulMatrix(c, a, w) }) })
		}
	}
}

// rate runs f and reports GFLOPS and the share of the peak, measured in turns.
func rate(b *testing.B, e *Engine, s shape, f func()) {
	var inPeak time.Duration
	var flops float64
	f()
	for b.Loop() {
		start := time.Now()
		flops += float64(e.PeakProbe())
		inPeak += time.Since(start)
		f()
	}
	work := 2 * float64(s.m) * float64(s.k) * float64(s.n) * float64(b.N)
	speed := work / (b.Elapsed() - inPeak).Seconds()
	b.ReportMetric(speed/1e9, "GFLOPS")
	b.ReportMetric(100*speed/(flops/inPeak.Seconds()), "%peak")
}
