package autodiff

import (
	"math/rand/v2"
	"testing"

	"github.com/polytropon/polytropon/mat"
)

// TestMemoryOfDepth checks that a deep network needs no more memory for gradients than a shallow one, as they are handed on, or freed once
// they have been used; and that of blocks that are computed again nothing but the results is kept.
func TestMemoryOfDepth(t *testing.T) {
	e := engine(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	x, first, second := param(rnd, 5, 7), mat.Pack(e, weight.Data, 7, 9, 9), param(rnd, 9, 7)
	gradients := func(layers int, again bool) int {
		tape := NewTape(e)
		block := &residual{first, tape.Param(second)}
		h := tape.Param(x)
		for range layers {
			if again {
				h = tape.Recompute(block, h)
			} else {
				h = block.Forward(tape, h)
			}
		}
		tape.Backward(tape.Total(h), 1)
		if again {
			var results mat.Arena
			for range layers {
				results.Matrix(5, 7)
			}
			results.Matrix(1, 1)
			if got, want := tape.values.Mark(), results.Mark(); got != want {
				t.Errorf("memory of the values of %d blocks: got %v, want %v", layers, got, want)
			}
		}
		return counts(tape)[2]
	}
	for _, again := range []bool{false, true} {
		if few, many := gradients(3, again), gradients(30, again); few != many || few > 5 {
			t.Errorf("computed again %t: %d matrices for the gradients of 3 layers, %d for 30", again, few, many)
		}
	}
}
