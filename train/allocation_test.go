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

// TestAllocations checks that steps within an epoch allocate nothing once memory has grown to what they need: at most one object in ten
// steps, for a worker that meets the largest micro-batch late. (The race detector and the garbage collector make memory be forgotten that is
// otherwise used again.)
func TestAllocations(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	const warm, last = 60, 160
	var before, after runtime.MemStats
	prepare := func(c *train.Config, s train.Slice, workers int) {
		var many train.Slice
		for len(many) < 12*(last+1) {
			many = append(many, s...)
		}
		c.Train, c.MaxSteps, c.Workers = many, last, workers
		c.OnStep = func(p train.Progress) {
			switch p.Step {
			case warm:
				runtime.ReadMemStats(&before)
			case last:
				runtime.ReadMemStats(&after)
			}
		}
	}
	check := func(t *testing.T, l *train.Loop) {
		run(t, l)
		if n := after.Mallocs - before.Mallocs; n > (last-warm)/10 {
			t.Errorf("got %d allocations in %d steps, want at most one in ten", n, last-warm)
		}
		if l.Position().Epoch != 0 {
			t.Error("got more than an epoch")
		}
	}
	for _, workers := range []int{1, 2} {
		t.Run(fmt.Sprintf("%d workers, a model of one's own", workers), func(t *testing.T) {
			c := lookupConfig(testEngine(t, mat.Options{Threads: 2}), newLookup(10, 8, 10, 1))
			prepare(&c, ragged(12), workers)
			check(t, newLoop(t, c))
		})
		t.Run(fmt.Sprintf("%d workers, an adapter", workers), func(t *testing.T) {
			l, _ := adapterRun{engine: mat.Options{Threads: 2}, change: func(c *train.Config) { prepare(c, sentences(12, 5), workers) }}.loop(t)
			check(t, l)
		})
	}
}
