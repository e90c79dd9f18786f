package train_test

import (
	"fmt"
	"testing"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/train"
)

// BenchmarkStep measures steps of an adapter on a tiny T5, whose operations are too small for two threads to share.
func BenchmarkStep(b *testing.B) {
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			tokens := 0
			l, _ := adapterRun{engine: mat.Options{Threads: 2}, change: func(c *train.Config) {
				c.Eval, c.MaxSteps, c.Workers = nil, b.N, workers
				c.OnStep = func(p train.Progress) { tokens += p.Tokens }
			}}.loop(b)
			b.ResetTimer()
			run(b, l)
			b.ReportMetric(float64(tokens)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}
