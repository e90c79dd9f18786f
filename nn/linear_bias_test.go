package nn

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// TestLinearBias checks every way to compute a layer with a bias, with and without a copy in its place, on small integers.
func TestLinearBias(t *testing.T) {
	const in, out = 5, 7
	e, rnd := engine(t), rand.New(rand.NewPCG(3, 4))
	w, w2, b, b2 := small(rnd, out, in), small(rnd, out, in), small(rnd, 1, out), small(rnd, 1, out)
	base := NewLinear(e, Weights{F32: w.Data}, out, in).WithBias(b.Data)
	if want := []ParamInfo{{"weight", []int{out, in}}, {"bias", []int{out}}}; !reflect.DeepEqual(base.Params(), want) {
		t.Fatalf("parameters %v, want %v", base.Params(), want)
	}
	copied := base.With(e, map[string]Weights{"weight": {F32: w2.Data}, "bias": {F32: b2.Data}}).(*Linear)
	rows := ragged(2, 3, 1)
	x, y := small(rnd, rows.Rows(), in), small(rnd, rows.Rows(), out)
	want := func(add bool, copies ...bool) []float32 {
		z := mat.New(y.Rows, y.Cols)
		for i, copied := range copies {
			w, b := w, b
			if copied {
				w, b = w2, b2
			}
			part := z.RowRange(rows[i], rows[i+1])
			for r := range part.Rows {
				copy(part.Row(r), b.Row(0))
				if add {
					e.AddRow(part.Row(r), y.Row(rows[i]+r))
				}
			}
			addProduct(part, x.RowRange(rows[i], rows[i+1]), transposed(w))
		}
		return values(z)
	}
	d := &Delta{Replaced: map[Layer]Layer{base: copied}}
	p := passOf(e, [][]*Delta{nil, {d}, nil})
	if got := values(base.Forward(p, rows, autodiff.Constant(x)).Matrix); !equalBits(got, want(false, false, true, false)) {
		t.Errorf("Forward: got %v, want %v", got, want(false, false, true, false))
	}
	sum := mat.View(values(y), y.Rows, y.Cols)
	if got := values(base.ForwardAdd(p, rows, autodiff.Constant(sum), autodiff.Constant(x)).Matrix); !equalBits(got, want(true, false, true, false)) {
		t.Errorf("ForwardAdd: got %v, want %v", got, want(true, false, true, false))
	}

	tape := autodiff.NewTape(e)
	trained := base.WithParams(map[string]*autodiff.Param{
		"weight": autodiff.NewParam("w", []int{out, in}, w2.Data), "bias": autodiff.NewParam("b", []int{out}, b2.Data)}).(*Linear)
	for _, replaced := range []bool{false, true} {
		on := &Trained{}
		if replaced {
			on.Replaced = map[Layer]Layer{base: trained}
		}
		p.ResetTraining(tape, rows.Sequences(), on)
		z := base.ForwardAdd(p, rows, autodiff.Constant(y), autodiff.Constant(x))
		if got := values(z.Matrix); !equalBits(got, want(true, replaced, replaced, replaced)) {
			t.Errorf("on a tape, replaced %v: got %v, want %v", replaced, got, want(true, replaced, replaced, replaced))
		}
		if z.Needs() != replaced {
			t.Errorf("replaced %v: needs a gradient: %v", replaced, z.Needs())
		}
		tape.Backward(tape.Total(z), 1)
	}
	for j, g := range trained.biasParam.Grad.Data {
		if g != float32(rows.Rows()) {
			t.Errorf("gradient of bias %d: got %v, want %d", j, g, rows.Rows())
		}
	}
	same := base.With(e, map[string]Weights{"weight": {F32: w.Data}, "bias": {F32: b.Data}}).(*Linear)
	if !same.weight.Equal(base.weight) || !slices.Equal(same.bias, base.bias) {
		t.Error("With the same values: got another layer")
	}
	panics(t, "WithBias", func() { base.WithBias(make([]float32, out+1)) }, "8 weights", "[7]")
}
