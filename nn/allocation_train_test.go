//go:build !race

package nn

import (
	"testing"

	"github.com/polytropon/polytropon/autodiff"
)

// TestTrainingStepsDoNotAllocate counts the allocations of steps after the first. (The race detector makes memory be forgotten that is
// otherwise used again.)
func TestTrainingStepsDoNotAllocate(t *testing.T) {
	for _, again := range []bool{false, true} {
		e := engine(t)
		m, p, tape := newTrainable(e), NewPass(e), autodiff.NewTape(e)
		step := func() { m.step(p, tape, trainableRows, trainableIDs, trainableLabels, again) }
		step()
		if n := testing.AllocsPerRun(20, step); n != 0 {
			t.Errorf("computed again %t: %v allocations in a step", again, n)
		}
	}
}
