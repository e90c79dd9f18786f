package mat_test

import (
	"fmt"
	"log"

	"github.com/polytropon/polytropon/mat"
)

// The sum of a row's elements, added to each of three results.
func ExampleEngine_MulAddLowRank() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	c, a := mat.View([]float32{10, 20, 30}, 1, 3), mat.View([]float32{1, 2}, 1, 2)
	down, up := mat.Pack(e, []float32{1, 1}, 2, 1, 1), mat.Pack(e, []float32{1, 1, 1}, 1, 3, 3)
	e.MulAddLowRank([]mat.LowRankProduct{{C: c, A: a, Down: down, Up: up}})
	fmt.Println(c.Row(0))
	// Output: [13 23 33]
}
