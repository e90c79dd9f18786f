package mat_test

import (
	"fmt"

	"github.com/polytropon/polytropon/mat"
)

// engine returns an engine for an example; a service keeps one and closes it at its end.
func engine() *mat.Engine {
	e, err := mat.NewEngine(mat.Options{Threads: 1})
	if err != nil {
		panic(err)
	}
	return e
}

func ExamplePack() {
	e := engine()
	defer e.Close()
	b := mat.Pack(e, []float32{1, 2, 3, 4, 5, 6}, 2, 3, 3)
	fmt.Println(b.K, b.N)
	// Output: 2 3
}

// A linear layer's weight is stored as out × in.
func ExamplePackT() {
	e := engine()
	defer e.Close()
	weight := mat.PackT(e, []float32{1, 2, 3, 4, 5, 6}, 3, 2, 2)
	y := mat.New(1, 3)
	e.Mul(y, mat.View([]float32{1, 10}, 1, 2), weight)
	fmt.Println(y.Data)
	// Output: [21 43 65]
}

func ExampleCompactT() {
	e := engine()
	defer e.Close()
	w := make([]float32, 256*256) // the identity
	for i := range 256 {
		w[i*257] = 1
	}
	plain, compact := mat.PackT(e, w, 256, 256, 256), mat.CompactT(e, w, 256, 256, 256)
	fmt.Println(compact.Bytes() < plain.Bytes())
	x, y := mat.New(1, 256), mat.New(1, 256)
	x.Data[7] = 0.1
	e.Mul(y, x, compact)
	fmt.Println(y.Data[7])
	// Output:
	// true
	// 0.1
}

// The same values, packed from rows and from columns.
func ExamplePacked_Equal() {
	e := engine()
	defer e.Close()
	rows, columns := mat.Pack(e, []float32{1, 2, 3, 4, 5, 6}, 2, 3, 3), mat.PackT(e, []float32{1, 4, 2, 5, 3, 6}, 3, 2, 2)
	others := mat.Pack(e, []float32{1, 2, 3, 4, 5, 7}, 2, 3, 3)
	fmt.Println(rows.Equal(columns), rows.Equal(others))
	// Output: true false
}

func ExampleEngine_Mul() {
	e := engine()
	defer e.Close()
	b := mat.Pack(e, []float32{1, 2, 3, 4}, 2, 2, 2)
	c := mat.New(2, 2)
	e.Mul(c, mat.View([]float32{1, 0, 1, 1}, 2, 2), b)
	fmt.Println(c.Row(0), c.Row(1))
	// Output: [1 2] [4 6]
}

func ExampleEngine_MulAdd() {
	e := engine()
	defer e.Close()
	b := mat.Pack(e, []float32{1, 2, 3, 4}, 2, 2, 2)
	c := mat.View([]float32{100, 200}, 1, 2)
	e.MulAdd(c, mat.View([]float32{1, 1}, 1, 2), b)
	fmt.Println(c.Data)
	// Output: [104 206]
}

// The gradient of a linear layer's input, from the weight as it was packed for the way forward.
func ExampleEngine_MulT() {
	e := engine()
	defer e.Close()
	weight := mat.PackT(e, []float32{1, 2, 3, 4, 5, 6}, 3, 2, 2)
	dx := mat.New(1, 2)
	e.MulT(dx, mat.View([]float32{1, 0, 1}, 1, 3), weight)
	fmt.Println(dx.Data)
	// Output: [6 8]
}

// The gradient of an input that two layers take.
func ExampleEngine_MulAddT() {
	e := engine()
	defer e.Close()
	first, second := mat.PackT(e, []float32{1, 2}, 1, 2, 2), mat.PackT(e, []float32{10, 20}, 1, 2, 2)
	dx, dy := mat.New(1, 2), mat.View([]float32{3}, 1, 1)
	e.MulT(dx, dy, first)
	e.MulAddT(dx, dy, second)
	fmt.Println(dx.Data)
	// Output: [33 66]
}

// The gradient of a weight, summed over the rows of two batches.
func ExampleEngine_MulAddTMatrix() {
	e := engine()
	defer e.Close()
	x, dy := mat.View([]float32{1, 2, 3, 4}, 2, 2), mat.View([]float32{1, 1}, 2, 1)
	dw := mat.New(2, 1)
	e.MulTMatrix(dw, x, dy)
	e.MulAddTMatrix(dw, x, dy)
	fmt.Println(dw.Data)
	// Output: [8 12]
}

// Weights that are used once are not worth packing.
func ExampleEngine_MulMatrix() {
	e := engine()
	defer e.Close()
	a, b, c := mat.View([]float32{1, 0, 1, 1}, 2, 2), mat.View([]float32{1, 2, 3, 4}, 2, 2), mat.New(2, 2)
	e.MulMatrix(c, a, b)
	fmt.Println(c.Row(0), c.Row(1))
	e.MulAddMatrix(c, a, b)
	fmt.Println(c.Row(0), c.Row(1))
	// Output:
	// [1 2] [4 6]
	// [2 4] [8 12]
}

// The scores of two queries over three keys.
func ExampleEngine_MulMatrixT() {
	e := engine()
	defer e.Close()
	queries, keys := mat.View([]float32{1, 0, 0, 1}, 2, 2), mat.View([]float32{1, 2, 3, 4, 5, 6}, 3, 2)
	scores := mat.New(2, 3)
	e.MulMatrixT(scores, queries, keys)
	fmt.Println(scores.Row(0), scores.Row(1))
	// Output: [1 3 5] [2 4 6]
}

// The same, added to a bias.
func ExampleEngine_MulAddMatrixT() {
	e := engine()
	defer e.Close()
	queries, keys := mat.View([]float32{1, 0, 0, 1}, 2, 2), mat.View([]float32{1, 2, 3, 4, 5, 6}, 3, 2)
	scores := mat.View([]float32{10, 20, 30, 40, 50, 60}, 2, 3)
	e.MulAddMatrixT(scores, queries, keys)
	fmt.Println(scores.Row(0), scores.Row(1))
	// Output: [11 23 35] [42 54 66]
}
