package mat

import (
	"fmt"
	"testing"
)

// BenchmarkAttentionCached is a step of decoding: a query for each sequence over 1024 keys, with the heads of a small model of the Llama family
// and with those of T5. Bytes are those of the keys and values.
func BenchmarkAttentionCached(b *testing.B) {
	const keys, size = 1024, 64
	for _, heads := range [][2]int{{9, 3}, {6, 6}} {
		for _, batch := range []int{1, 4, 16} {
			for _, threads := range []int{1, 2} {
				b.Run(fmt.Sprintf("%d:%d/batch%d/threads%d", heads[0], heads[1], batch, threads), func(b *testing.B) {
					e, err := NewEngine(Options{Threads: threads})
					if err != nil {
						b.Fatal(err)
					}
					defer e.Close()
					a := Attention{Heads: heads[0], KVHeads: heads[1], HeadSize: size, Scale: 0.125, Causal: true, Queries: []int{0}}
					var caches []*Cache
					for s := range batch {
						a.Queries, a.Offsets = append(a.Queries, s+1), append(a.Offsets, keys-1)
						c := e.NewCache(heads[1], size)
						c.Append(randomMatrix(keys, heads[1]*size, 1), randomMatrix(keys, heads[1]*size, 2))
						caches = append(caches, c)
					}
					q, out := randomMatrix(batch, heads[0]*size, 3), New(batch, heads[0]*size)
					b.SetBytes(int64(batch * 2 * keys * heads[1] * size * 4))
					for b.Loop() {
						e.AttentionCached(out, q, caches, a)
					}
				})
			}
		}
	}
}
