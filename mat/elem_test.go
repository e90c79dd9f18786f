package mat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/polytropon/polytropon/mat/asm"
)

// elementFunctions are the methods that compute each element of dst from those of x and y, and the portable kernels.
var elementFunctions = []struct {
	name   string
	call   func(e *Engine, dst, x, y Matrix)
	kernel func(k *asm.Elem, dst, x, y []float32)
}{
	{"Exp", func(e *Engine, dst, x, _ Matrix) { e.Exp(dst, x) }, func(k *asm.Elem, dst, x, _ []float32) { k.Exp(dst, x) }},
	{"Sigmoid", func(e *Engine, dst, x, _ Matrix) { e.Sigmoid(dst, x) }, func(k *asm.Elem, dst, x, _ []float32) { k.Sigmoid(dst, x) }},
	{"Tanh", func(e *Engine, dst, x, _ Matrix) { e.Tanh(dst, x) }, func(k *asm.Elem, dst, x, _ []float32) { k.Tanh(dst, x) }},
	{"SiLU", func(e *Engine, dst, x, _ Matrix) { e.SiLU(dst, x) }, func(k *asm.Elem, dst, x, _ []float32) { k.SiLU(dst, x) }},
	{"GELU", func(e *Engine, dst, x, _ Matrix) { e.GELU(dst, x) }, func(k *asm.Elem, dst, x, _ []float32) { k.GELU(dst, x) }},
	{"GELUTanh", func(e *Engine, dst, x, _ Matrix) { e.GELUTanh(dst, x) }, func(k *asm.Elem, dst, x, _ []float32) { k.GELUTanh(dst, x) }},
	{"ReLU", func(e *Engine, dst, x, _ Matrix) { e.ReLU(dst, x) }, func(k *asm.Elem, dst, x, _ []float32) { k.ReLU(dst, x) }},
	{"Scale", func(e *Engine, dst, x, _ Matrix) { e.Scale(dst, x, 0.7) }, func(k *asm.Elem, dst, x, _ []float32) { k.Scale(dst, x, 0.7) }},
	{"Add", (*Engine).Add, func(k *asm.Elem, dst, x, y []float32) { k.Add(dst, x, y) }},
	{"Sub", (*Engine).Sub, func(k *asm.Elem, dst, x, y []float32) { k.Sub(dst, x, y) }},
	{"AddScaled", func(e *Engine, dst, x, y Matrix) { e.AddScaled(dst, x, y, 0.7) }, func(k *asm.Elem, dst, x, y []float32) { k.AddScaled(dst, x, y, 0.7) }},
	{"ReLUBackward", (*Engine).ReLUBackward, func(k *asm.Elem, dst, dy, x []float32) { k.ReLUBackward(dst, x, dy) }},
	{"SigmoidBackward", (*Engine).SigmoidBackward, func(k *asm.Elem, dst, dy, x []float32) { k.SigmoidBackward(dst, x, dy) }},
	{"TanhBackward", (*Engine).TanhBackward, func(k *asm.Elem, dst, dy, x []float32) { k.TanhBackward(dst, x, dy) }},
	{"SiLUBackward", (*Engine).SiLUBackward, func(k *asm.Elem, dst, dy, x []float32) { k.SiLUBackward(dst, x, dy) }},
	{"GELUBackward", (*Engine).GELUBackward, func(k *asm.Elem, dst, dy, x []float32) { k.GELUBackward(dst, x, dy) }},
	{"GELUTanhBackward", (*Engine).GELUTanhBackward, func(k *asm.Elem, dst, dy, x []float32) { k.GELUTanhBackward(dst, x, dy) }},
	{"MulElem", (*Engine).MulElem, func(k *asm.Elem, dst, x, y []float32) { k.Mul(dst, x, y) }},
	{"GateSiLU", (*Engine).GateSiLU, func(k *asm.Elem, dst, x, y []float32) { k.GateSiLU(dst, x, y) }},
	{"GateGELUTanh", (*Engine).GateGELUTanh, func(k *asm.Elem, dst, x, y []float32) { k.GateGELUTanh(dst, x, y) }},
}

// TestElementFunctions compares matrices, with and without gaps between rows, in one part and in many, and in place, with the portable
// kernel on each row. What lies between the rows stays as it is.
func TestElementFunctions(t *testing.T) {
	portable := &asm.Find("generic").Elem
	engines(t, func(t *testing.T, e *Engine) {
		rnd := rand.New(rand.NewPCG(1, 2))
		for _, f := range elementFunctions {
			for _, size := range [][3]int{{0, 3, 0}, {3, 0, 2}, {1, 1, 0}, {7, 33, 0}, {7, 33, 5}, {3, 9000, 1}, {40, 500, 0}} {
				x, y := random(rnd, size[0], size[1], size[2]), random(rnd, size[0], size[1], size[2])
				dst := random(rnd, size[0], size[1], size[2])
				want := clone(dst)
				for i := range want.Rows {
					f.kernel(portable, want.Row(i), x.Row(i), y.Row(i))
				}
				f.call(e, dst, x, y)
				if d := diff(dst, want); d != "" {
					t.Fatalf("%s: %s", f.name, d)
				}
				inPlace := clone(x)
				f.call(e, inPlace, inPlace, y)
				for i := range want.Rows {
					for j, v := range want.Row(i) {
						if !same(inPlace.Row(i)[j], v) {
							t.Fatalf("%s in place of %s: [%d, %d] = %x, want %x", f.name, x.Shape(), i, j, inPlace.Row(i)[j], v)
						}
					}
				}
			}
		}
	})
}

func TestElementFunctionsRefuseOtherShapes(t *testing.T) {
	e := newEngine(t, 1)
	for _, f := range elementFunctions {
		mustPanic(t, f.name, func() { f.call(e, New(2, 3), New(3, 2), New(3, 2)) })
	}
	mustPanic(t, "Add", func() { e.Add(New(2, 3), New(2, 3), New(3, 2)) })
	mustPanic(t, "RMSNorm", func() { e.RMSNorm(New(2, 3), New(2, 3), make([]float32, 2), 1) })
	mustPanic(t, "LogSumExp", func() { e.LogSumExp(make([]float32, 3), New(2, 3)) })
	mustPanic(t, "AddScaledRow", func() { e.AddScaledRow(make([]float32, 3), make([]float32, 3), make([]float32, 2), 1) })
	mustPanic(t, "MulRow", func() { e.MulRow(make([]float32, 3), make([]float32, 3), make([]float32, 2)) })
	mustPanic(t, "DivRow", func() { e.DivRow(make([]float32, 3), make([]float32, 2), 1) })
	mustPanic(t, "AdamRow", func() {
		e.AdamRow(make([]float32, 3), make([]float32, 3), make([]float32, 3), make([]float32, 2), AdamStep{})
	})
	mustPanic(t, "DotRow", func() { e.DotRow(make([]float32, 3), make([]float32, 2)) })
}

func mustPanic(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: no panic", what)
		}
	}()
	f()
}

// TestLogarithm compares with float64.
func TestLogarithm(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for i := range 200_000 {
		x := math.Float32frombits(rnd.Uint32() >> 1)
		if i%2 == 0 {
			x = 1 + float32(rnd.NormFloat64())/100
		}
		if got, want := logarithm(x), float32(math.Log(float64(x))); !same(got, want) {
			t.Fatalf("log %v = %x, want %x", x, got, want)
		}
	}
	for _, x := range []float32{0, float32(math.Copysign(0, -1)), -1, float32(math.Inf(1)), float32(math.Inf(-1)), 1, 0x1p-149} {
		if got, want := logarithm(x), float32(math.Log(float64(x))); !same(got, want) {
			t.Errorf("log %v = %v, want %v", x, got, want)
		}
	}
}

func ExampleEngine_Exp() {
	e, err := NewEngine(Options{})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	x := View([]float32{-1, 0, 1}, 1, 3)
	e.Exp(x, x)
	fmt.Printf("%.3f\n", x.Row(0))
	// Output: [0.368 1.000 2.718]
}
