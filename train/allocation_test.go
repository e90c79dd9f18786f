//go:build !race

package train_test

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/train"
)

// TestAllocations checks that steps within an epoch come to allocate nothing: memory grows until every worker has met the largest micro-batch
// and all have needed scratch memory at once, and then twenty steps allocate less than half an object each. (The race detector and the garbage
// collector make memory be forgotten that is otherwise used again.)
func TestAllocations(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	const window = 20
	var counts []uint64
	prepare := func(c *train.Config, s train.Slice, workers, windows int) {
		var many train.Slice
		for len(many) < 12*(window*windows+1) {
			many = append(many, s...)
		}
		c.Train, c.MaxSteps, c.Workers = many, window*windows, workers
		counts = counts[:0]
		var m runtime.MemStats
		c.OnStep = func(p train.Progress) {
			if p.Step%window == 0 {
				runtime.ReadMemStats(&m)
				counts = append(counts, m.Mallocs)
			}
		}
	}
	check := func(t *testing.T, l *train.Loop) {
		run(t, l)
		least := counts[1] - counts[0]
		for i := range counts[1:] {
			least = min(least, counts[i+1]-counts[i])
		}
		if least >= window/2 {
			t.Errorf("got at least %d allocations in %d steps, want none", least, window)
		}
		if l.Position().Epoch != 0 {
			t.Error("got more than an epoch")
		}
	}
	for _, workers := range []int{1, 2} {
		t.Run(fmt.Sprintf("%d workers, a model of one's own", workers), func(t *testing.T) {
			c := lookupConfig(testEngine(t, mat.Options{Threads: 2}), newLookup(10, 8, 10, 1))
			prepare(&c, ragged(12), workers, 60) // short steps, of which some other program may disturb many
			check(t, newLoop(t, c))
		})
		t.Run(fmt.Sprintf("%d workers, an adapter", workers), func(t *testing.T) {
			l, _ := adapterRun{engine: mat.Options{Threads: 2}, change: func(c *train.Config) { prepare(c, sentences(12, 5), workers, 10) }}.loop(t)
			check(t, l)
		})
	}
}
