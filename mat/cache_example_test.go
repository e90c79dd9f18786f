package mat_test

import (
	"fmt"
	"log"

	"github.com/polytropon/polytropon/mat"
)

// Two sequences begin alike; then each goes on by itself.
func ExampleCache_CopyFrom() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	first, second := e.NewCache(1, 2), e.NewCache(1, 2)
	keys, values := mat.New(3, 2), mat.New(3, 2)
	first.Append(keys, values)
	second.CopyFrom(first, 0)
	second.Append(keys.RowRange(0, 1), values.RowRange(0, 1))
	fmt.Println(first.Len(), second.Len())
	// Output: 3 4
}
