package mat

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// BenchmarkCompact compares products with compact weights with those of the plain layout, in turn: a Llama's feed-forward layer of 576 × 1536, 40 of which come from
// memory. It reports the speed with compact weights, of that with plain ones. Run it with -benchtime 21x or so.
func BenchmarkCompact(b *testing.B) {
	benchmarkCompact[float32](b)
	benchmarkCompact[BFloat16](b)
}

func benchmarkCompact[T float32 | BFloat16](b *testing.B) {
	const n, k, count = 1536, 576, 40
	rnd := rand.New(rand.NewPCG(1, 1))
	w, _ := weightsOf[T](rnd, n, k, 0)
	for _, threads := range []int{1, 2} {
		e := newEngine(b, threads)
		var plain, compact []*Packed
		for range count {
			plain, compact = append(plain, PackT(e, w, n, k, k)), append(compact, CompactT(e, w, n, k, k))
		}
		for _, rows := range []int{1, 4, 8, 16, 32, 64, 512} {
			x, y := random(rnd, rows, k, 0), random(rnd, rows, n, 0)
			for _, f := range []struct {
				name string
				do   func(p *Packed)
			}{{"Mul", func(p *Packed) { e.Mul(y, x, p) }}, {"MulT", func(p *Packed) { e.MulT(x, y, p) }}} {
				b.Run(fmt.Sprintf("%s/%T/rows%d/threads%d", f.name, w[0], rows, threads), func(b *testing.B) {
					var seconds [2]float64
					for range b.N {
						for i, weights := range [][]*Packed{plain, compact} {
							start := time.Now()
							for _, p := range weights {
								f.do(p)
							}
							seconds[i] += time.Since(start).Seconds()
						}
					}
					b.ReportMetric(seconds[0]/seconds[1], "of-plain")
				})
			}
		}
	}
}
