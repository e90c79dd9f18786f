package mat_test

import (
	"fmt"

	"github.com/polytropon/polytropon/mat"
)

// Sums, differences and products element by element; the result may take an operand's place.
func ExampleEngine_Add() {
	e := engine()
	defer e.Close()
	x, y, z := mat.View([]float32{1, 2, 3}, 1, 3), mat.View([]float32{10, 20, 30}, 1, 3), mat.New(1, 3)
	e.Add(z, x, y)
	fmt.Println(z.Row(0))
	e.Sub(z, z, x)
	fmt.Println(z.Row(0))
	e.MulElem(z, z, x)
	fmt.Println(z.Row(0))
	e.Scale(z, z, 0.1)
	fmt.Println(z.Row(0))
	// Output:
	// [11 22 33]
	// [10 20 30]
	// [10 40 90]
	// [1 4 9]
}

// What the activations make of 0, of a large number and of its negative.
func ExampleEngine_Sigmoid() {
	e := engine()
	defer e.Close()
	x, y := mat.View([]float32{0, 100, -100}, 1, 3), mat.New(1, 3)
	for _, f := range []func(dst, x mat.Matrix){e.Sigmoid, e.Tanh, e.ReLU, e.SiLU, e.GELUTanh} {
		f(y, x)
		fmt.Printf("%.3f\n", y.Row(0))
	}
	// Output:
	// [0.500 1.000 0.000]
	// [0.000 1.000 -1.000]
	// [0.000 100.000 0.000]
	// [0.000 100.000 -0.000]
	// [0.000 100.000 -0.000]
}

func ExampleEngine_GateGELUTanh() {
	e := engine()
	defer e.Close()
	gate, up := mat.View([]float32{0, 100}, 1, 2), mat.View([]float32{2, 2}, 1, 2)
	e.GateGELUTanh(up, gate, up)
	fmt.Println(up.Row(0))
	// Output: [0 200]
}
