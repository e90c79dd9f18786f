package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/polytropon/polytropon/generate"
	"github.com/polytropon/polytropon/model"
)

// BenchmarkPrefix lets a prompt of 1000 tokens, all but 20 of which are those of a request before, join four sequences. An operation is what passes until
// its first token.
func BenchmarkPrefix(b *testing.B) {
	const running, shared, own = 4, 980, 20
	l := benchLlama(b)
	for _, kept := range []int{0, 1 << 30} {
		b.Run(fmt.Sprintf("kept=%dMB", kept>>20), func(b *testing.B) {
			batch := l.model.NewBatch()
			batch.SetPrefixCache(kept)
			requests := 0
			add := func(r model.Request, tokens int) {
				if _, err := batch.Add(r, generate.Settings{MaxNewTokens: tokens, StopIDs: []int{}}); err != nil {
					b.Fatal(err)
				}
				requests++
			}
			// step returns the longest time of steps until the last request has a token.
			step := func() (longest time.Duration) {
				for had := false; !had; {
					start := time.Now()
					for event, err := range batch.Step(b.Context()) {
						if err != nil {
							b.Fatal(err)
						}
						had = had || event.Request == requests-1
					}
					longest = max(longest, time.Since(start))
				}
				return longest
			}
			for _, r := range l.requests(running, promptTokens, false) {
				add(r, 1<<20)
			}
			step()
			prompt := l.requests(running+1, shared+own, false)[running]
			add(prompt, 1)
			step()
			var wait time.Duration
			for n := 1; b.Loop(); n++ {
				for i := range own {
					prompt.InputIDs[shared+i] = (31*n + i) % llamaVocabulary
				}
				add(model.Request{InputIDs: append([]int{}, prompt.InputIDs...)}, 1)
				wait = max(wait, step())
			}
			b.ReportMetric(wait.Seconds()*1e3, "wait-ms")
		})
	}
}
