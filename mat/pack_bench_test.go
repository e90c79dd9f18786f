package mat

import (
	"fmt"
	"math"
	"testing"
)

// BenchmarkPack packs a weight of 1536 × 576, as when a model is loaded. Bytes are those of the weight.
func BenchmarkPack(b *testing.B) {
	const n, k = 1536, 576
	w := randomMatrix(n, k, 1)
	half := make([]BFloat16, n*k)
	for i, x := range w.Data {
		half[i] = BFloat16(math.Float32bits(x) >> 16)
	}
	for _, threads := range []int{1, 2} {
		e, err := NewEngine(Options{Threads: threads})
		if err != nil {
			b.Fatal(err)
		}
		defer e.Close()
		for _, f := range []struct {
			name string
			size int64
			do   func()
		}{
			{"Pack", 4, func() { Pack(e, w.Data, n, k, k) }},
			{"PackT", 4, func() { PackT(e, w.Data, n, k, k) }},
			{"PackT of BFloat16", 2, func() { PackT(e, half, n, k, k) }},
			{"CompactT", 4, func() { CompactT(e, w.Data, n, k, k) }},
			{"CompactT of BFloat16", 2, func() { CompactT(e, half, n, k, k) }},
		} {
			b.Run(fmt.Sprintf("%s/threads%d", f.name, threads), func(b *testing.B) {
				b.SetBytes(f.size * n * k)
				for b.Loop() {
					f.do()
				}
			})
		}
	}
}
