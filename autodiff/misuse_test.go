package autodiff

import (
	"strings"
	"testing"

	"github.com/polytropon/polytropon/mat"
)

// leaky is a block that lets out a value.
type leaky struct{ inner *Value }

func (b *leaky) Forward(t *Tape, x Value) Value {
	*b.inner = t.Scale(x, 2)
	return t.Scale(*b.inner, 2)
}

// blockOf is a block that is a function.
type blockOf func(t *Tape, x Value) Value

func (f blockOf) Forward(t *Tape, x Value) Value { return f(t, x) }

func TestMisusePanics(t *testing.T) {
	e := engine(t)
	w := NewParam("w", []int{2, 3}, make([]float32, 6))
	tape, other := NewTape(e), NewTape(e)
	start := func() Value {
		tape.Reset()
		return tape.Param(w)
	}
	done := func() Value {
		x := start()
		tape.Backward(tape.Total(x), 1)
		return x
	}
	packed := mat.Pack(e, make([]float32, 12), 3, 4, 4)
	for _, c := range []struct {
		name  string
		f     func()
		parts []string
	}{
		{"another tape's parameter", func() { other.Total(start()) }, []string{"2×3", "another tape"}},
		{"another tape's result", func() { start(); other.Scale(tape.Scale(Constant(w.Value), 2), 2) }, []string{"2×3", "another tape"}},
		{"another tape's result of the same age", func() { NewTape(e).Scale(NewTape(e).Scale(Constant(w.Value), 2), 2) }, []string{"2×3", "another tape"}},
		{"another tape's loss", func() { other.Backward(tape.Total(start()), 1) }, []string{"1×1", "another tape"}},
		{"before Reset", func() { x := start(); tape.Reset(); tape.Plus(start(), x) }, []string{"2×3", "before Reset"}},
		{"a constant result before Reset", func() {
			x := tape.Scale(Constant(w.Value), 2)
			tape.Reset()
			tape.Scale(x, 2)
		}, []string{"2×3", "before Reset"}},
		{"in place before Reset", func() { x := start(); tape.Reset(); tape.Needing(x) }, []string{"2×3", "before Reset"}},
		{"the gradient before Reset", func() { x := start(); tape.Reset(); tape.Into(x) }, []string{"2×3", "before Reset"}},
		{"the gradient of a constant", func() { tape.Into(Constant(w.Value)) }, []string{"2×3", "needs none"}},
		{"out of a block", func() {
			var inner Value
			Recompute(tape, leaky{&inner}, start())
			tape.Total(inner)
		}, []string{"2×3", "block that has ended"}},
		{"out of a block into another", func() {
			var inner Value
			x := Recompute(tape, leaky{&inner}, start())
			Recompute(tape, blockOf(func(t *Tape, x Value) Value { return t.Plus(x, inner) }), x)
		}, []string{"2×3", "block that has ended"}},
		{"out of a block as another's result", func() {
			var inner Value
			x := Recompute(tape, leaky{&inner}, start())
			Recompute(tape, blockOf(func(*Tape, Value) Value { return inner }), x)
		}, []string{"2×3", "block that has ended"}},
		{"a block in a block", func() {
			Recompute(tape, blockOf(func(t *Tape, x Value) Value { return Recompute(t, identity{}, x) }), start())
		}, []string{"within another"}},
		{"a block of another shape", func() {
			Recompute(tape, blockOf(func(t *Tape, x Value) Value { return t.Total(x) }), start())
		}, []string{"2×3", "1×1"}},
		{"in place of a value from outside a block", func() {
			x := start()
			y := tape.Scale(x, 2)
			Recompute(tape, blockOf(func(t *Tape, x Value) Value { return plusSquare(t, y, x) }), x)
		}, []string{"2×3", "changed inside"}},
		{"Backward twice", func() {
			loss := tape.Total(start())
			tape.Backward(loss, 1)
			tape.Backward(loss, 1)
		}, []string{"Backward twice"}},
		{"recording after Backward", func() { tape.Scale(done(), 2) }, []string{"after Backward"}},
		{"Backward of a matrix", func() { tape.Backward(start(), 1) }, []string{"2×3", "1×1"}},
		{"AddGrad", func() { tape.AddGrad(start(), mat.New(3, 2)) }, []string{"3×2", "2×3"}},
		{"Hand", func() { x := start(); tape.Hand(x, tape.Total(x)) }, []string{"2×3", "1×1"}},
		{"Reshape", func() { tape.Reshape(start(), 4, 2) }, []string{"2×3", "4×2"}},
		{"Reshape of a view", func() { tape.Reshape(Constant(mat.New(2, 4).ColRange(0, 3)), 3, 2) }, []string{"2×3", "stride 4", "3×2"}},
		{"NewParam", func() { NewParam("q.weight", []int{2, 3}, make([]float32, 5)) }, []string{"q.weight", "5 values", "[2 3]"}},
		{"Plus", func() { tape.Plus(start(), Constant(mat.New(3, 2))) }, []string{"2×3", "3×2"}},
		{"PlusRow", func() { tape.PlusRow(start(), Constant(mat.New(1, 2))) }, []string{"2×3", "1×2"}},
		{"PlusRow of two rows", func() { tape.PlusRow(start(), start()) }, []string{"2×3", "rows"}},
		{"Gate", func() { tape.Gate(SiLU, start(), Constant(mat.New(3, 2))) }, []string{"2×3", "3×2"}},
		{"Times", func() { tape.Times(start(), Constant(mat.New(3, 2))) }, []string{"2×3", "3×2"}},
		{"Mul", func() { tape.Mul(start(), Constant(mat.New(2, 2))) }, []string{"2×3", "2×2"}},
		{"MulT", func() { tape.MulT(start(), Constant(mat.New(3, 2))) }, []string{"2×3", "3×2"}},
		{"MulPacked", func() { tape.MulPacked(Constant(mat.New(2, 2)), packed) }, []string{"2×2", "3×4"}},
		{"PlusMulPacked", func() { tape.PlusMulPacked(Constant(mat.New(2, 3)), start(), packed) }, []string{"2×3", "3×4"}},
		{"PlusGateMulPacked", func() { tape.PlusGateMulPacked(Constant(mat.New(2, 3)), SiLU, start(), start(), packed) }, []string{"2×3", "3×4"}},
		{"RMSNorm", func() { tape.RMSNorm(start(), Constant(mat.New(1, 2)), 1) }, []string{"2×3", "1×2"}},
		{"RMSNorm with two weights", func() { tape.RMSNorm(start(), start(), 1) }, []string{"2×3", "weight"}},
		{"Gather", func() { tape.Gather(start(), []int{1, 2}, -1) }, []string{"row 2", "2×3"}},
		{"Attention", func() {
			x := Constant(mat.New(2, 1))
			tape.Attention(x, x, x, start(), mat.Attention{Heads: 1, HeadSize: 1, Queries: []int{0, 2}, Keys: []int{0, 2}})
		}, []string{"bias of 2×3", "1 sequences"}},
		{"Attention with another bias", func() {
			x, bias := Constant(mat.New(3, 1)), start().RowRange(0, 1)
			v := tape.New(1, 3, true)
			copy(v.Data, bias.Data)
			tape.Attention(x, x, x, v, mat.Attention{Heads: 1, HeadSize: 1, Queries: []int{0, 2, 3}, Keys: []int{0, 2, 3}, Bias: []mat.Matrix{bias, v.Matrix}})
		}, []string{"bias of 1×3", "2 sequences"}},
		{"Attention with a part of the bias", func() {
			x, v := Constant(mat.New(1, 1)), tape.New(1, 3, true)
			tape.Attention(x, x, x, v, mat.Attention{Heads: 1, HeadSize: 1, Queries: []int{0, 1}, Keys: []int{0, 1}, Bias: []mat.Matrix{v.ColRange(0, 1)}})
		}, []string{"bias of 1×3", "1 sequences"}},
		{"Attention with more than the bias", func() {
			x, v := Constant(mat.New(1, 1)), start()
			part := tape.Needing(Constant(v.RowRange(0, 1)))
			tape.Attention(x, x, x, part, mat.Attention{Heads: 2, HeadSize: 1, Queries: []int{0, 1}, Keys: []int{0, 1}, Bias: []mat.Matrix{v.Matrix}})
		}, []string{"bias of 1×3", "1 sequences"}},
		{"CrossEntropy", func() { tape.CrossEntropy(start(), []int{1}, -100, 0) }, []string{"1 labels", "2×3"}},
		{"MulCrossEntropy", func() { tape.MulCrossEntropy(start(), packed, []int{1}, -100, 0) }, []string{"1 labels", "2×4"}},
	} {
		panics(t, c.name, c.f, c.parts...)
	}
	// A tape that an operation or a block panicked on is as good as new after Reset.
	done()
}

func TestCrossEntropyErrors(t *testing.T) {
	tape := NewTape(engine(t))
	for _, label := range []int{-1, 3, -101} {
		_, err := tape.CrossEntropy(Constant(mat.New(2, 3)), []int{0, label}, -100, 0)
		if err == nil || !strings.Contains(err.Error(), "label 1: got") || !strings.Contains(err.Error(), "want 0 ≤ label < 3 or -100") {
			t.Errorf("label %d: got %v", label, err)
		}
		_, packed := tape.MulCrossEntropy(Constant(mat.New(2, 1)), mat.Pack(tape.Engine, make([]float32, 3), 1, 3, 3), []int{0, label}, -100, 0)
		if err == nil || packed == nil || packed.Error() != err.Error() {
			t.Errorf("label %d: got %v without the logits, want %v", label, packed, err)
		}
	}
}
