package autodiff_test

import (
	"fmt"
	"log"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

func ExampleTape_Reshape() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	t := autodiff.NewTape(e)
	x := autodiff.NewParam("x", []int{2, 4}, []float32{1, 2, 3, 4, 5, 6, 7, 8})
	pairs := t.Reshape(t.Param(x), 4, 2)
	fmt.Println(pairs.Row(3))
	t.Backward(t.Total(t.Times(pairs, pairs)), 1)
	fmt.Println(x.Grad.Row(1))
	// Output:
	// [7 8]
	// [10 12 14 16]
}
