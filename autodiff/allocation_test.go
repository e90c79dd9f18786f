//go:build !race

package autodiff

import "testing"

// TestStepsDoNotAllocate counts the allocations of steps after the first. (The race detector makes memory be forgotten that is otherwise
// used again.)
func TestStepsDoNotAllocate(t *testing.T) {
	for _, again := range []bool{false, true} {
		e := engine(t)
		n := newNetwork()
		n.again = again
		out, down := n.pack(e)
		tape := NewTape(e)
		n.step(tape, out, down)
		if got := testing.AllocsPerRun(20, func() { n.step(tape, out, down) }); got != 0 {
			t.Errorf("computed again %t: %v allocations in a step", again, got)
		}
	}
}
