package nn_test

import (
	"fmt"
	"log"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
)

func ExampleRotate() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	p := nn.NewPass(e)
	if err := p.Reset(make([][]*nn.Delta, 1)); err != nil {
		log.Fatal(err)
	}
	// Two heads of four elements: the first pair of each is turned by a quarter, the second one stays.
	a := nn.NewAngles(p, 1, 2)
	copy(a.Cos.Row(0), []float32{0, 1})
	copy(a.Sin.Row(0), []float32{1, 0})
	x := autodiff.Constant(mat.View([]float32{1, 2, 3, 4, 5, 6, 7, 8}, 1, 8))
	fmt.Println(nn.Rotate(p, x, a).Row(0))
	// Output: [-3 2 1 4 -7 6 5 8]
}
