package mat_test

import (
	"fmt"

	"github.com/polytropon/polytropon/mat"
)

func ExamplePow() {
	fmt.Println(float32(mat.Pow(10000, 0.25)), float32(mat.Exp(1)), float32(mat.Log(10)))
	// Output: 10 2.7182817 2.3025851
}
