package autodiff

import (
	"math/rand/v2"
	"testing"

	"github.com/polytropon/polytropon/mat"
)

// counts returns how many operations, gradients and matrices for gradients a tape has.
func counts(t *Tape) [3]int {
	taken := len(t.grads.spare)
	for _, g := range t.gradients {
		if g.own {
			taken++
		}
	}
	return [3]int{len(t.ops), len(t.gradients), taken}
}

// TestConstantsCostNothing checks that what needs no gradient records no operation and gets no memory for one.
func TestConstantsCostNothing(t *testing.T) {
	e := engine(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, op := range operations {
		tape := NewTape(e)
		operands := make([]Value, len(op.shapes))
		for i, s := range op.shapes {
			operands[i] = Constant(random(rnd, s[0], s[1]))
		}
		y := op.record(tape, operands)
		if y.Needs() || counts(tape) != [3]int{} {
			t.Errorf("%s: %d operations, gradients and matrices of constants", op.name, counts(tape))
		}
		if y.Rows == 1 && y.Cols == 1 {
			tape.Backward(y, 1)
		}
	}
}

// TestFrozenWeightsCostNothing counts what a frozen layer on top of a trained one, and one below it, cost.
func TestFrozenWeightsCostNothing(t *testing.T) {
	e := engine(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	x, first, last := Constant(random(rnd, 5, 7)), mat.Pack(e, random(rnd, 7, 6).Data, 7, 6, 6), Constant(random(rnd, 4, 8))
	w := param(rnd, 6, 4)
	tape := NewTape(e)
	h := tape.Apply(Tanh, tape.MulPacked(x, first)) // below: nothing
	h = tape.Mul(h, tape.Param(w))                  // trained: the weight's gradient and the result's
	h = tape.Mul(h, last)                           // above: the result's
	loss := tape.Total(h)
	if got, want := counts(tape), [3]int{3, 4, 0}; got != want {
		t.Errorf("got %d operations, gradients and matrices, want %d", got, want)
	}
	tape.Backward(loss, 1)
	if got, want := counts(tape), [3]int{0, 4, 3}; got != want {
		t.Errorf("after Backward: got %d operations, gradients and matrices, want %d", got, want)
	}
}
