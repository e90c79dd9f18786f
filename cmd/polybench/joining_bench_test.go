package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/polytropon/polytropon/generate"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/safetensors"
)

// benchLlama is the Llama shape with bfloat16 weights on all cores, for as long as b runs.
func benchLlama(b *testing.B) *llama135 {
	b.Helper()
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(e.Close)
	l, err := newLlama135(e, safetensors.BF16)
	if err != nil {
		b.Fatal(err)
	}
	return l
}

// BenchmarkJoining lets a prompt of 2000 tokens join eight sequences. An operation is what passes until the prompt's first token; wait is the longest step
// since, which is how long the others waited for a token at most, and step what one takes without the prompt.
func BenchmarkJoining(b *testing.B) {
	const running, joiningTokens = 8, 2000
	l := benchLlama(b)
	for name, adapted := range map[string]bool{"base": false, "adapter": true} {
		b.Run(fmt.Sprintf("batch=%d/%s", running, name), func(b *testing.B) {
			batch := l.model.NewBatch()
			add := func(r model.Request) {
				if _, err := batch.Add(r, generate.Settings{MaxNewTokens: 1 << 20, StopIDs: []int{}}); err != nil {
					b.Fatal(err)
				}
			}
			// step returns how many requests had a token, and the time that it took.
			step := func() (int, time.Duration) {
				n, start := 0, time.Now()
				for _, err := range batch.Step(b.Context()) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
				return n, time.Since(start)
			}
			for _, r := range l.requests(running, promptTokens, adapted) {
				add(r)
			}
			for n := 0; n < running; {
				n, _ = step()
			}
			var without, wait time.Duration
			for b.Loop() {
				b.StopTimer()
				const steps = 20
				for range steps {
					_, took := step()
					without += took / steps
				}
				done := make(chan struct{})
				r := l.requests(running+1, joiningTokens, adapted)[running]
				r.Done = done
				add(r)
				b.StartTimer()
				for n := 0; n <= running; {
					var took time.Duration
					n, took = step()
					wait = max(wait, took)
				}
				close(done)
				b.StopTimer()
				step() // in which it leaves
				b.StartTimer()
			}
			b.ReportMetric(without.Seconds()*1e3/float64(b.N), "step-ms")
			b.ReportMetric(wait.Seconds()*1e3, "wait-ms")
		})
	}
}
