package main

import (
	"testing"

	"github.com/polytropon/polytropon/mat"
)

// BenchmarkForward runs the T5-small shape of the default run, bare and with the adapter.
func BenchmarkForward(b *testing.B) {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	s, err := newSmall(e)
	if err != nil {
		b.Fatal(err)
	}
	for name, adapted := range map[string]bool{"bare": false, "adapter": true} {
		b.Run(name, func(b *testing.B) {
			batch := s.batch(batchSize{8, 128, 32}, adapted)
			for b.Loop() {
				if _, err := s.time(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(8*(128+32)*float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}
