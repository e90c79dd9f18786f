package autodiff

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/polytropon/polytropon/mat"
)

// TestMulCrossEntropyIsCrossEntropy compares the loss and the gradient with those of all logits, bit by bit: of a part of lossRows, of several, and where
// some labels don't count.
func TestMulCrossEntropyIsCrossEntropy(t *testing.T) {
	const ignore = -100
	e := engine(t)
	for _, rows := range []int{1, lossRows, 2*lossRows + 3} {
		for _, every := range []int{1, 3, rows + 1} { // which labels don't count
			rnd := rand.New(rand.NewPCG(uint64(rows), 1))
			x, labels := param(rnd, rows, 7), make([]int, rows)
			for i := range labels {
				if labels[i] = rnd.IntN(9); every > 1 && i%every == 0 || every > rows {
					labels[i] = ignore
				}
			}
			step := func(crossEntropy func(t *Tape, h Value, w *mat.Packed) (Value, error)) []float32 {
				tape := NewTape(e)
				x.ZeroGrad()
				loss, err := crossEntropy(tape, tape.Scale(tape.Param(x), 2), packedWeight(tape))
				if err != nil {
					t.Fatal(err)
				}
				tape.Backward(loss, 1)
				return append(slices.Clone(x.Grad.Data), loss.Data[0])
			}
			got := step(func(t *Tape, h Value, w *mat.Packed) (Value, error) {
				return t.MulCrossEntropy(h, w, labels, ignore, 5)
			})
			want := step(func(t *Tape, h Value, w *mat.Packed) (Value, error) {
				return t.CrossEntropy(t.MulPacked(h, w), labels, ignore, 5)
			})
			if !slices.Equal(got, want) {
				t.Errorf("%d rows, one of %d without a label: another loss or gradient than of all logits", rows, every)
			}
		}
	}
}

// TestMulCrossEntropyHoldsAPart checks that the memory for logits does not grow with the number of rows.
func TestMulCrossEntropyHoldsAPart(t *testing.T) {
	e := engine(t)
	const rows, out = 4 * lossRows, 8000
	w, x := mat.Pack(e, make([]float32, out), 1, out, out), NewParam("x", []int{rows, 1}, make([]float32, rows))
	tape := NewTape(e)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := tape.MulCrossEntropy(tape.Param(x), w, make([]int, rows), -100, 0); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got, part := after.TotalAlloc-before.TotalAlloc, uint64(4*lossRows*out); got > 2*part {
		t.Errorf("it takes %d bytes, and all logits %d; want little more than %d", got, 4*rows*out, part)
	}
}

// TestEvaluating checks that a tape that evaluates records nothing and gives the same values.
func TestEvaluating(t *testing.T) {
	tape, x := NewTape(engine(t)), NewParam("x", []int{5, 7}, make([]float32, 35))
	loss := func() Value {
		tape.Reset()
		return mulCrossEntropyOf(tape, tape.Scale(tape.Param(x), 2), 0)
	}
	want := loss().Data[0]
	tape.Evaluating = true
	if got := loss(); got.Needs() || counts(tape)[0] > 0 || got.Data[0] != want {
		t.Errorf("got a loss of %v, that needs a gradient: %t, with %d operations; want %v", got.Data[0], got.Needs(), counts(tape)[0], want)
	}
}
