package mat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// BenchmarkMulLargest measures the logits of some rows, as a language model's, of which the largest is wanted: how many times as fast as all of them. In
// turn, so that the weights of either come from memory.
func BenchmarkMulLargest(b *testing.B) {
	const k, cols = 576, 49152
	for _, threads := range []int{1, 2} {
		e, err := NewEngine(Options{Threads: threads})
		if err != nil {
			b.Fatal(err)
		}
		rnd := rand.New(rand.NewPCG(1, 2))
		w := random(rnd, cols, k, 0)
		half := make([]BFloat16, len(w.Data))
		for i, v := range w.Data {
			half[i] = BFloat16(math.Float32bits(v) >> 16)
		}
		for name, packed := range map[string]*Packed{"F32": PackT(e, w.Data, cols, k, k), "BF16": PackT(e, half, cols, k, k)} {
			start := time.Now()
			s := NewScreen(e, packed)
			making := time.Since(start)
			for _, m := range []int{1, 4, 16} {
				b.Run(fmt.Sprintf("%s/%d rows/%d threads", name, m, threads), func(b *testing.B) {
					a, c := random(rnd, m, k, 0), New(m, cols)
					n := slices.Repeat([]int{1}, m)
					var all, largest []float64
					for b.Loop() {
						start := time.Now()
						e.Mul(c, a, packed)
						middle := time.Now()
						e.MulLargest(c, a, s, n)
						all, largest = append(all, middle.Sub(start).Seconds()), append(largest, time.Since(middle).Seconds())
					}
					slices.Sort(all)
					slices.Sort(largest)
					mid := len(all) / 2
					b.ReportMetric(float64(len(s.columns))/largest[mid]/1e9, "GB/s")
					b.ReportMetric(float64(packed.Bytes())/all[mid]/1e9, "Mul-GB/s")
					b.ReportMetric(all[mid]/largest[mid], "x-Mul")
					b.ReportMetric(making.Seconds()*1e3, "ms-to-make")
				})
			}
		}
		e.Close()
	}
}
