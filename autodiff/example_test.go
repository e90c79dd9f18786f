package autodiff_test

import (
	"fmt"
	"log"
	"math/rand/v2"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// newEngine returns an engine; Close ends its workers.
func newEngine() *mat.Engine {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	return e
}

// A network with one hidden layer learns the exclusive or of two bits by gradient descent.
func Example() {
	e := newEngine()
	defer e.Close()
	inputs := mat.View([]float32{0, 0, 0, 1, 1, 0, 1, 1}, 4, 2)
	labels := []int{0, 1, 1, 0}

	rnd := rand.New(rand.NewPCG(1, 2))
	uniform := func(name string, rows, cols int) *autodiff.Param {
		values := make([]float32, rows*cols)
		for i := range values {
			values[i] = 2*rnd.Float32() - 1
		}
		return autodiff.NewParam(name, []int{rows, cols}, values)
	}
	hidden, bias := uniform("hidden.weight", 8, 2), uniform("hidden.bias", 1, 8)
	out := uniform("out.weight", 2, 8)

	tape := autodiff.NewTape(e)
	forward := func() autodiff.Value {
		tape.Reset()
		h := tape.MulT(autodiff.Constant(inputs), tape.Param(hidden))
		h = tape.Apply(autodiff.Tanh, tape.PlusRow(h, tape.Param(bias)))
		return tape.MulT(h, tape.Param(out))
	}
	for step := range 301 {
		loss, err := tape.CrossEntropy(forward(), labels, -100, 0)
		if err != nil {
			log.Fatal(err)
		}
		tape.Backward(loss, 1)
		if step%100 == 0 {
			fmt.Printf("step %d: loss %.3f\n", step, loss.Data[0])
		}
		for _, p := range []*autodiff.Param{hidden, bias, out} {
			e.AddScaled(p.Value, p.Value, p.Grad, -0.5)
			p.ZeroGrad()
		}
	}
	logits := forward()
	for i := range inputs.Rows {
		row := logits.Row(i)
		fmt.Println(inputs.Row(i), row[1] > row[0])
	}
	// Output:
	// step 0: loss 0.733
	// step 100: loss 0.037
	// step 200: loss 0.014
	// step 300: loss 0.008
	// [0 0] false
	// [0 1] true
	// [1 0] true
	// [1 1] false
}

func ExampleTape_Backward() {
	e := newEngine()
	defer e.Close()
	x := autodiff.NewParam("x", []int{2}, []float32{3, 5})
	tape := autodiff.NewTape(e)
	for range 2 { // two parts of a batch, each counting half
		tape.Reset()
		v := tape.Param(x)
		tape.Backward(tape.Total(tape.Times(v, v)), 0.5)
	}
	fmt.Println(x.Grad.Data)
	// Output: [6 10]
}

func ExampleNewParam() {
	// A tensor of any number of dimensions is computed with as a matrix.
	p := autodiff.NewParam("lora_A", []int{2, 2, 3}, make([]float32, 12))
	fmt.Println(p.Name, p.Shape, p.Value.Shape(), p.Grad.Shape())
	// Output: lora_A [2 2 3] 4×3 4×3
}

func ExampleParam_ZeroGrad() {
	e := newEngine()
	defer e.Close()
	x, tape := row(1, 2), autodiff.NewTape(e)
	for range 2 {
		tape.Reset()
		x.ZeroGrad()
		tape.Backward(tape.Total(tape.Param(x)), 1)
	}
	fmt.Println(x.Grad.Data)
	// Output: [1 1]
}

// Where no gradient is needed a function can be applied in place.
func ExampleFunction_Set() {
	e := newEngine()
	defer e.Close()
	x := mat.View([]float32{-1, 0, 2}, 1, 3)
	autodiff.ReLU.Set(e, x, x)
	fmt.Println(x.Data)
	// Output: [0 0 2]
}

func ExampleFunction_SetGate() {
	e := newEngine()
	defer e.Close()
	x, y := mat.View([]float32{-1, 2}, 1, 2), mat.View([]float32{5, 5}, 1, 2)
	autodiff.ReLU.SetGate(e, x, x, y)
	fmt.Println(x.Row(0))
	// Output: [0 10]
}

func ExampleConstant() {
	e := newEngine()
	defer e.Close()
	tape := autodiff.NewTape(e)
	frozen := autodiff.Constant(mat.View([]float32{1, 2}, 1, 2))
	x := autodiff.NewParam("x", []int{1, 2}, []float32{3, 4})
	fmt.Println(tape.Times(frozen, frozen).Needs(), tape.Times(frozen, tape.Param(x)).Needs())
	// Output: false true
}

// derivative prints the first row of f(x), and the derivative of the sum of f(x) with respect to x.
func derivative(x *autodiff.Param, f func(t *autodiff.Tape, x autodiff.Value) autodiff.Value) {
	e := newEngine()
	defer e.Close()
	tape := autodiff.NewTape(e)
	y := f(tape, tape.Param(x))
	fmt.Printf("%.4g", y.Row(0))
	tape.Backward(tape.Total(y), 1)
	fmt.Printf(" %.4g\n", x.Grad.Data)
}

// row returns a parameter of one row.
func row(values ...float32) *autodiff.Param {
	return autodiff.NewParam("x", []int{len(values)}, values)
}

func ExampleTape_Plus() {
	derivative(row(1, 2), func(t *autodiff.Tape, x autodiff.Value) autodiff.Value { return t.Plus(x, x) })
	// Output: [2 4] [2 2]
}

func ExampleTape_PlusRow() {
	rows := autodiff.Constant(mat.New(3, 2))
	derivative(row(1, 2), func(t *autodiff.Tape, x autodiff.Value) autodiff.Value { return t.PlusRow(rows, x) })
	// Output: [1 2] [3 3]
}

func ExampleTape_Times() {
	derivative(row(3, 4), func(t *autodiff.Tape, x autodiff.Value) autodiff.Value { return t.Times(x, x) })
	// Output: [9 16] [6 8]
}

func ExampleTape_Scale() {
	derivative(row(3, 4), func(t *autodiff.Tape, x autodiff.Value) autodiff.Value { return t.Scale(x, 0.5) })
	// Output: [1.5 2] [0.5 0.5]
}

func ExampleTape_Total() {
	derivative(row(3, 4), func(t *autodiff.Tape, x autodiff.Value) autodiff.Value { return t.Total(x) })
	// Output: [7] [1 1]
}

func ExampleTape_Apply() {
	derivative(row(0, 1), func(t *autodiff.Tape, x autodiff.Value) autodiff.Value { return t.Apply(autodiff.Sigmoid, x) })
	derivative(row(-1, 1), func(t *autodiff.Tape, x autodiff.Value) autodiff.Value { return t.Apply(autodiff.ReLU, x) })
	// Output:
	// [0.5 0.7311] [0.25 0.1966]
	// [0 1] [0 1]
}

func ExampleTape_Gate() {
	open := autodiff.Constant(mat.View([]float32{5, 5}, 1, 2))
	derivative(row(-1, 2), func(t *autodiff.Tape, x autodiff.Value) autodiff.Value { return t.Gate(autodiff.ReLU, x, open) })
	// Output: [0 10] [0 5]
}

func ExampleTape_Mul() {
	w := autodiff.Constant(mat.View([]float32{1, 2, 3, 4}, 2, 2))
	derivative(row(10, 1), func(t *autodiff.Tape, x autodiff.Value) autodiff.Value { return t.Mul(x, w) })
	// Output: [13 24] [3 7]
}

func ExampleTape_MulT() {
	w := autodiff.Constant(mat.View([]float32{1, 2, 3, 4}, 2, 2))
	derivative(row(10, 1), func(t *autodiff.Tape, x autodiff.Value) autodiff.Value { return t.MulT(x, w) })
	// Output: [12 34] [4 6]
}

// A frozen weight is packed once.
func ExampleTape_MulPacked() {
	derivative(row(10, 1), func(t *autodiff.Tape, x autodiff.Value) autodiff.Value {
		return t.MulPacked(x, mat.Pack(t.Engine, []float32{1, 2, 3, 4}, 2, 2, 2))
	})
	// Output: [13 24] [3 7]
}

// A residual connection.
func ExampleTape_PlusMulPacked() {
	derivative(row(10, 1), func(t *autodiff.Tape, x autodiff.Value) autodiff.Value {
		return t.PlusMulPacked(x, x, mat.Pack(t.Engine, []float32{1, 2, 3, 4}, 2, 2, 2))
	})
	// Output: [23 25] [4 8]
}

// The end of a feed-forward layer without a gate.
func ExampleTape_PlusGateMulPacked() {
	derivative(row(-1, 2), func(t *autodiff.Tape, x autodiff.Value) autodiff.Value {
		w := mat.Pack(t.Engine, []float32{1, 2, 3, 4}, 2, 2, 2)
		return t.PlusGateMulPacked(x, autodiff.ReLU, x, autodiff.Value{}, w)
	})
	// Output: [5 10] [1 8]
}

func ExampleTape_Gather() {
	table := autodiff.NewParam("table", []int{3, 2}, []float32{0, 1, 10, 11, 20, 21})
	derivative(table, func(t *autodiff.Tape, x autodiff.Value) autodiff.Value { return t.Gather(x, []int{2, 0, 2}, -1) })
	// Output: [20 21] [1 1 0 0 2 2]
}

func ExampleTape_RMSNorm() {
	weight := autodiff.Constant(mat.View([]float32{1, 10}, 1, 2))
	derivative(row(3, 3), func(t *autodiff.Tape, x autodiff.Value) autodiff.Value { return t.RMSNorm(x, weight, 1e-6) })
	// Output: [1 10] [-1.5 1.5]
}

func ExampleTape_Softmax() {
	weight := autodiff.Constant(mat.View([]float32{0, 1}, 1, 2))
	derivative(row(0, 0), func(t *autodiff.Tape, x autodiff.Value) autodiff.Value { return t.Times(t.Softmax(x), weight) })
	// Output: [0 0.5] [-0.25 0.25]
}

func ExampleTape_CrossEntropy() {
	const ignore = -100
	logits := autodiff.NewParam("logits", []int{2, 2}, []float32{0, 0, 5, -5})
	derivative(logits, func(t *autodiff.Tape, x autodiff.Value) autodiff.Value {
		loss, err := t.CrossEntropy(x, []int{1, ignore}, ignore, 0)
		if err != nil {
			log.Fatal(err)
		}
		return loss
	})
	// Output: [0.6931] [0.5 -0.5 0 0]
}

func ExampleTape_MulCrossEntropy() {
	const ignore = -100
	derivative(row(0), func(t *autodiff.Tape, x autodiff.Value) autodiff.Value {
		w := mat.Pack(t.Engine, []float32{0, 2}, 1, 2, 2)
		loss, err := t.MulCrossEntropy(x, w, []int{1}, ignore, 0)
		if err != nil {
			log.Fatal(err)
		}
		return loss
	})
	// Output: [0.6931] [-1]
}

// Two sequences, of one token and of two. With scores of 0 a query gets the mean of the values that it sees.
func ExampleTape_Attention() {
	shape := mat.Attention{Heads: 1, HeadSize: 1, Queries: []int{0, 1, 3}, Keys: []int{0, 1, 3}, Causal: true}
	zeros := autodiff.Constant(mat.New(3, 1))
	values := autodiff.NewParam("values", []int{3, 1}, []float32{1, 2, 4})
	derivative(values, func(t *autodiff.Tape, v autodiff.Value) autodiff.Value {
		y := t.Attention(zeros, zeros, v, autodiff.Value{}, shape)
		fmt.Print(y.Data, " ")
		return y
	})
	// Output: [1 2 3] [1] [1 1.5 0.5]
}

// A squared is a block: x².
type squared struct{}

func (squared) Forward(t *autodiff.Tape, x autodiff.Value) autodiff.Value { return t.Times(x, x) }

// Blocks of a deep network are computed again when the gradient comes by, so that only what lies between them is kept.
func ExampleRecompute() {
	derivative(row(1, 2), func(t *autodiff.Tape, x autodiff.Value) autodiff.Value {
		for range 3 {
			x = autodiff.Recompute(t, squared{}, x)
		}
		return x
	})
	// Output: [1 256] [8 1024]
}
