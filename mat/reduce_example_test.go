package mat_test

import (
	"fmt"
	"log"

	"github.com/polytropon/polytropon/mat"
)

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
