package mat_test

import (
	"fmt"
	"log"

	"github.com/polytropon/polytropon/mat"
)

// The largest of a thousand products with one row, most of which are not computed.
func ExampleEngine_MulLargest() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	const k, cols = 2, 1000
	w := make([]float32, cols*k) // column i is (i, -i²/1200)
	for i := range cols {
		w[k*i], w[k*i+1] = float32(i), -float32(i*i)/1200
	}
	screen := mat.NewScreen(e, mat.PackT(e, w, cols, k, k))
	logits := mat.New(1, cols)
	e.MulLargest(logits, mat.View([]float32{1, 1}, 1, k), screen, []int{1})
	i := e.MaxIndex(logits.Row(0))
	fmt.Println(i, logits.Row(0)[i], logits.Row(0)[0])
	// Output: 600 300 -Inf
}
