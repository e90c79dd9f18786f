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
	gradients := func(layers int, again bool) mat.Mark {
		tape := NewTape(e)
		block := residual{first, tape.Param(second)}
		h := tape.Param(x)
		for range layers {
			if again {
				h = Recompute(tape, block, h)
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
		return tape.grads.arena.Mark()
	}
	for _, again := range []bool{false, true} {
		if few, many := gradients(3, again), gradients(30, again); few != many {
			t.Errorf("computed again %t: %v for the gradients of 3 layers, %v for 30", again, few, many)
		}
	}
}

// TestMemoryOfSteps checks that what Backward takes on the way is free again when it returns, and that steps need no more memory than one.
func TestMemoryOfSteps(t *testing.T) {
	x := NewParam("x", []int{3, 40}, make([]float32, 120))
	tape := NewTape(engine(t))
	var first mat.Mark
	for i := range 3 {
		tape.Reset()
		y := tape.Scale(tape.Param(x), 2)
		loss := tape.Total(tape.Times(tape.Times(y, y), y)) // y's gradient is added to
		values := tape.values.Mark()
		tape.Backward(loss, 1)
		if got := tape.values.Mark(); got != values {
			t.Errorf("step %d: Backward keeps values: %v, want %v", i, got, values)
		}
		if i == 0 {
			first = tape.grads.arena.Mark()
		}
		if got := tape.grads.arena.Mark(); got != first {
			t.Errorf("step %d: gradients take %v, want %v", i, got, first)
		}
	}
}
