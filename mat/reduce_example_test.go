package mat_test

import (
	"fmt"
	"log"

	"github.com/polytropon/polytropon/mat"
)

// A mean, element by element.
func ExampleEngine_DivRow() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	x := []float32{3, -6, 1}
	e.DivRow(x, x, 3)
	fmt.Println(x)
	// Output: [1 -2 0.33333334]
}

// Weights that take part or do not.
func ExampleEngine_MulRow() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	x := []float32{3, -6, 1}
	e.MulRow(x, x, []float32{1, 0.5, 0})
	fmt.Println(x)
	// Output: [3 -3 0]
}

// The likeliest token.
func ExampleEngine_MaxIndex() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	fmt.Println(e.MaxIndex([]float32{-1, 0.5, 2, 2}))
	// Output: 2
}

// What a row is reduced to.
func ExampleEngine_DotRow() {
	e := engine()
	defer e.Close()
	x := []float32{3, -6, 1}
	fmt.Println(e.SumRow(x), e.DotRow(x, x), e.MaxRow(x))
	// Output: -2 46 3
}

// The mean of two rows.
func ExampleEngine_AddRow() {
	e := engine()
	defer e.Close()
	x := []float32{3, -6, 1}
	e.AddRow(x, []float32{1, 0, 2})
	e.ScaleRow(x, 0.5)
	fmt.Println(x)
	// Output: [2 -3 1.5]
}
