package nn_test

import (
	"fmt"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
)

// The caller's memory takes the output.
func ExampleLinear_ForwardTo() {
	p, e := newPass(1)
	defer e.Close()
	linear := nn.NewLinear(e, nn.Weights{F32: []float32{1, 1, 0, 2}}, 2, 2)
	y := mat.New(2, 2)
	linear.ForwardTo(p, nn.Ragged{0, 2}, y, mat.View([]float32{1, 2, 3, 4}, 2, 2))
	fmt.Println(y.Row(0), y.Row(1))
	// Output: [3 4] [7 8]
}

// Of a thousand logits the largest is computed, and most of the others are not.
func ExampleLinear_ForwardLargest() {
	p, e := newPass(1)
	defer e.Close()
	w := make([]float32, 1000*2) // row i is (i, -i²/1200)
	for i := range 1000 {
		w[2*i], w[2*i+1] = float32(i), -float32(i*i)/1200
	}
	head := nn.NewLinear(e, nn.Weights{F32: w}, 1000, 2)
	logits := mat.New(1, 1000)
	head.ForwardLargest(p, nn.Ragged{0, 1}, logits, mat.View([]float32{1, 1}, 1, 2), []int{1})
	i := e.MaxIndex(logits.Row(0))
	fmt.Println(i, logits.Row(0)[i], logits.Row(0)[0])
	// Output: 600 300 -Inf
}

// Without a tape x itself is changed, head by head.
func ExampleRMSNorm_ForwardHeads() {
	p, e := newPass(1)
	defer e.Close()
	x := autodiff.Constant(mat.View([]float32{3, 3, 0, 5}, 1, 4))
	nn.NewRMSNorm([]float32{1, 2}, 0).ForwardHeads(p, nn.Ragged{0, 1}, x)
	fmt.Printf("%.2f\n", x.Row(0))
	// Output: [1.00 2.00 0.00 2.83]
}

// Without a tape x itself is changed.
func ExampleRMSNorm_ForwardInPlace() {
	p, e := newPass(1)
	defer e.Close()
	x := autodiff.Constant(mat.View([]float32{3, 4, 0, 0}, 1, 4))
	nn.NewRMSNorm([]float32{1, 1, 10, 10}, 0).ForwardInPlace(p, nn.Ragged{0, 1}, x)
	fmt.Println(x.Row(0))
	// Output: [1.2 1.6 0 0]
}

// The tokens of two sequences, one after the other, in memory that the next pass uses again.
func ExamplePass_Ints() {
	p, e := newPass(2)
	defer e.Close()
	ids := p.Ints(3)
	copy(ids, []int{7, 8})
	copy(ids[2:], []int{9})
	fmt.Println(ids)
	// Output: [7 8 9]
}
