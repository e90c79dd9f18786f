package mat_test

import (
	"fmt"

	"github.com/polytropon/polytropon/mat"
)

// What a file holds in 16 bits a value.
func ExampleWiden() {
	b := mat.Bits[mat.BFloat16]([]uint16{0x3f80, 0xc000})
	h := mat.Bits[mat.Float16]([]uint16{0x3c00, 0xc000})
	wide := make([]float32, 2)
	mat.Widen(wide, b)
	fmt.Println(wide, h[0].Float32(), h[1].Float32())
	// Output: [1 -2] 1 -2
}
