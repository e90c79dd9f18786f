package mat_test

import (
	"fmt"
	"log"

	"github.com/polytropon/polytropon/mat"
)

func ExampleUnpackT() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	p := mat.PackT(e, []float32{1, 2, 3, 4, 5, 6}, 2, 3, 3)
	w, ok := mat.UnpackT[float32](p)
	fmt.Println(w, ok)
	_, ok = mat.UnpackT[mat.BFloat16](p)
	fmt.Println(ok)
	// Output:
	// [1 2 3 4 5 6] true
	// false
}
