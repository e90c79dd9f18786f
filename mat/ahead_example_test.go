package mat_test

import (
	"fmt"
	"log"

	"github.com/polytropon/polytropon/mat"
)

// Two layers of a network, one after the other: while the first is computed the engine knows of the second.
func ExampleEngine_Ahead() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	x, h, y := mat.View([]float32{1, 2}, 1, 2), mat.New(1, 2), mat.New(1, 1)
	first := []mat.Product{{C: h, A: x, B: mat.Pack(e, []float32{1, 0, 0, 1}, 2, 2, 2)}}
	second := []mat.Product{{C: y, A: h, B: mat.Pack(e, []float32{3, 4}, 2, 1, 1)}}
	e.Ahead(second)
	e.MulGrouped(first)
	e.MulGrouped(second)
	fmt.Println(y.Data)
	// Output: [11]
}
