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

// Without a tape x itself is changed, head by head.
func ExampleRMSNorm_ForwardHeads() {
	p, e := newPass(1)
	defer e.Close()
	x := autodiff.Constant(mat.View([]float32{3, 3, 0, 5}, 1, 4))
	nn.NewRMSNorm([]float32{1, 2}, 0).ForwardHeads(p, nn.Ragged{0, 1}, x)
	fmt.Printf("%.2f\n", x.Row(0))
	// Output: [1.00 2.00 0.00 2.83]
}
