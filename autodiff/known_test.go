package autodiff

import (
	"math/rand/v2"
	"testing"

	"github.com/polytropon/polytropon/mat"
)

// A knownBlock ends with a product, whose value is not computed again; before and beside it are products that it must not be taken for.
type knownBlock struct {
	weight, wide *mat.Packed
	constant     mat.Matrix
	last         bool // whether the block's result is the last operation's; the last one is else of another shape, and nobody uses it
}

// Forward implements Block.
func (b *knownBlock) Forward(t *Tape, x Value) Value {
	c, h := Constant(b.constant), t.Times(x, x)
	frozen := t.PlusMulPacked(c, c, b.weight) // needs no gradient and is not recorded
	y := t.PlusGateMulPacked(x, SiLU, h, frozen, b.weight)
	if !b.last {
		t.MulPacked(y, b.wide)
		t.PlusMulPacked(Constant(mat.New(x.Rows, b.wide.N)), y, b.wide)
	}
	return y
}

// TestKnownResult checks that a block that is computed again takes its result for no other operation's.
func TestKnownResult(t *testing.T) {
	const n = 4
	e, rnd := engine(t), rand.New(rand.NewPCG(1, 2))
	pack := func(cols int) *mat.Packed { return mat.Pack(e, random(rnd, n, cols).Data, n, cols, cols) }
	x, wanted := param(rnd, n, n), random(rnd, n, n)
	for _, last := range []bool{true, false} {
		b := knownBlock{pack(n), pack(n + 3), random(rnd, n, n), last}
		gradient := func(forward func(t *Tape, x Value) Value) []float32 {
			tape := NewTape(e)
			x.ZeroGrad()
			tape.Backward(tape.Total(tape.Times(forward(tape, tape.Param(x)), Constant(wanted))), 1)
			return append([]float32{}, x.Grad.Data...)
		}
		got := gradient(func(t *Tape, x Value) Value { return Recompute(t, b, x) })
		if want := gradient(b.Forward); !equalBits(got, want) {
			t.Errorf("the last operation's result %t: got the gradient %v, want %v", last, got, want)
		}
	}
}
