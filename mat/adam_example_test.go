package mat_test

import (
	"fmt"
	"log"

	"github.com/polytropon/polytropon/mat"
)

// The first step of Adam moves each parameter by the learning rate, against the sign of its gradient.
func ExampleEngine_AdamRow() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	w, g, m, v := []float32{1, 1, 1}, []float32{-4, 0, 0.5}, make([]float32, 3), make([]float32, 3)
	e.AdamRow(w, g, m, v, mat.AdamStep{Keep: 1, MeanGain: 0.5, SquareKeep: 0.75, SquareGain: 0.25, RootScale: 0.5, Eps: 1e-8, Rate: -0.25 / 0.5})
	fmt.Println(w, m, v)
	// Output: [1.25 1 0.75] [-2 0 0.25] [4 0 0.0625]
}
