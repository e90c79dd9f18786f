package main

import (
	"fmt"
	"testing"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/safetensors"
)

// BenchmarkDecode runs steps of the Llama shape, bare and with the adapter.
func BenchmarkDecode(b *testing.B) {
	for _, storage := range []safetensors.DType{safetensors.F32, safetensors.BF16} {
		for _, threads := range []int{1, 2} {
			e, err := mat.NewEngine(mat.Options{Threads: threads})
			if err != nil {
				b.Fatal(err)
			}
			m, err := newLlama135(e, storage)
			if err != nil {
				b.Fatal(err)
			}
			for _, batch := range []int{1, 4, 16} {
				for name, adapted := range map[string]bool{"base": false, "adapter": true} {
					b.Run(fmt.Sprintf("%s/threads=%d/batch=%d/%s", storage, threads, batch, name), func(b *testing.B) {
						d, err := m.decoding(b.Context(), batch, adapted)
						if err != nil {
							b.Fatal(err)
						}
						for n := 0; b.Loop(); n++ {
							if n%16 == 15 { // keep it short
								if d, err = m.decoding(b.Context(), batch, adapted); err != nil {
									b.Fatal(err)
								}
							}
							if _, err := d.sample(b.Context()); err != nil {
								b.Fatal(err)
							}
						}
						b.ReportMetric(float64(batch*decodeSteps*b.N)/b.Elapsed().Seconds(), "tokens/s")
					})
				}
			}
			e.Close()
		}
	}
}
