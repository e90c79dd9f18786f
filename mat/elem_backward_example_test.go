package mat_test

import (
	"fmt"
	"math"

	"github.com/polytropon/polytropon/mat"
)

// The derivative itself, for a gradient of 1.
func ExampleEngine_GELUBackward() {
	e := engine()
	defer e.Close()
	x, dx := mat.View([]float32{-1, 0, 1}, 1, 3), mat.View([]float32{1, 1, 1}, 1, 3)
	e.GELUBackward(dx, dx, x)
	fmt.Printf("%.3f\n", dx.Row(0))
	// Output: [-0.083 0.500 1.083]
}

// Where x is 0 the gradient of 8 is multiplied by 0, 1, 1/4 and 1/2.
func ExampleEngine_TanhBackward() {
	e := engine()
	defer e.Close()
	x, dy, dx := mat.New(1, 1), mat.View([]float32{8}, 1, 1), mat.New(1, 1)
	for _, f := range []func(dx, dy, x mat.Matrix){e.ReLUBackward, e.TanhBackward, e.SigmoidBackward, e.GELUTanhBackward} {
		f(dx, dy, x)
		fmt.Println(dx.Row(0))
	}
	// Output:
	// [0]
	// [8]
	// [2]
	// [4]
}

// What is added to all inputs of a softmax changes nothing, so their gradients add up to 0.
func ExampleEngine_SoftmaxBackward() {
	e := engine()
	defer e.Close()
	y, dy := mat.New(1, 4), mat.View([]float32{1, 0, 0, 0}, 1, 4)
	e.Softmax(y, y)
	e.SoftmaxBackward(dy, dy, y)
	fmt.Println(dy.Row(0))
	// Output: [0.1875 -0.0625 -0.0625 -0.0625]
}

// A step of gradient descent.
func ExampleEngine_AddScaled() {
	e := engine()
	defer e.Close()
	w, dw := mat.View([]float32{1, 2}, 1, 2), mat.View([]float32{4, -8}, 1, 2)
	e.AddScaled(w, w, dw, -0.125)
	fmt.Println(w.Row(0))
	// Output: [0.5 3]
}

// Turned there and back.
func ExampleEngine_RopeBackward() {
	e := engine()
	defer e.Close()
	x := mat.View([]float32{3, 4}, 1, 2)
	cos, sin := mat.View([]float32{0}, 1, 1), mat.View([]float32{1}, 1, 1)
	e.Rope(x, 1, 2, cos, sin)
	fmt.Println(x.Row(0))
	e.RopeBackward(x, 1, 2, cos, sin)
	fmt.Println(x.Row(0))
	// Output:
	// [-4 3]
	// [3 4]
}

func ExampleSin() {
	fmt.Printf("%.6f %.6f\n", mat.Sin(math.Pi/6), mat.Cos(1e6))
	// Output: 0.500000 0.936752
}

func ExampleEngine_AddScaledRow() {
	e := engine()
	defer e.Close()
	sum := []float32{1, 2}
	e.AddScaledRow(sum, sum, []float32{4, 8}, 0.5)
	fmt.Println(sum)
	// Output: [3 6]
}
