package mat_test

import (
	"fmt"

	"github.com/polytropon/polytropon/mat"
)

// Two runs of rows of one matrix, each with weights of its own.
func ExampleEngine_MulGrouped() {
	e := engine()
	defer e.Close()
	one, ten := mat.Pack(e, []float32{1, 1}, 2, 1, 1), mat.Pack(e, []float32{10, 10}, 2, 1, 1)
	a, c := mat.View([]float32{1, 2, 3, 4, 5, 6}, 3, 2), mat.New(3, 1)
	e.MulGrouped([]mat.Product{
		{C: c.RowRange(0, 1), A: a.RowRange(0, 1), B: one},
		{C: c.RowRange(1, 3), A: a.RowRange(1, 3), B: ten},
	})
	fmt.Println(c.Data)
	// Output: [3 70 110]
}

// Two residual connections.
func ExampleEngine_MulAddGrouped() {
	e := engine()
	defer e.Close()
	one, ten := mat.Pack(e, []float32{1, 1}, 2, 1, 1), mat.Pack(e, []float32{10, 10}, 2, 1, 1)
	a, c := mat.View([]float32{1, 2, 3, 4}, 2, 2), mat.View([]float32{100, 200}, 2, 1)
	e.MulAddGrouped([]mat.Product{
		{C: c.RowRange(0, 1), A: a.RowRange(0, 1), B: one},
		{C: c.RowRange(1, 2), A: a.RowRange(1, 2), B: ten},
	})
	fmt.Println(c.Data)
	// Output: [103 270]
}

// One call for the products of several sequences with weights that are not packed.
func ExampleEngine_MulMatrixGrouped() {
	e := engine()
	defer e.Close()
	a, c := mat.View([]float32{1, 2, 3, 4}, 2, 2), mat.New(2, 1)
	e.MulMatrixGrouped([]mat.MatrixProduct{
		{C: c.RowRange(0, 1), A: a.RowRange(0, 1), B: mat.View([]float32{1, 1}, 2, 1)},
		{C: c.RowRange(1, 2), A: a.RowRange(1, 2), B: mat.View([]float32{10, 10}, 2, 1)},
	})
	fmt.Println(c.Data)
	// Output: [3 70]
}

// A group can be added to what is there; computed twice, that makes it twice as much.
func ExampleEngine_MulAddMatrixGrouped() {
	e := engine()
	defer e.Close()
	c := mat.View([]float32{100}, 1, 1)
	group := []mat.MatrixProduct{{C: c, A: mat.View([]float32{1, 2}, 1, 2), B: mat.View([]float32{3, 4}, 2, 1)}}
	e.MulAddMatrixGrouped(group)
	fmt.Println(c.Data)
	e.MulAddMatrixGrouped(group)
	fmt.Println(c.Data)
	// Output:
	// [111]
	// [122]
}

// The scores of two sequences, each with a query and two keys, and then a second time on top.
func ExampleEngine_MulMatrixTGrouped() {
	e := engine()
	defer e.Close()
	queries, keys, scores := mat.View([]float32{1, 2}, 2, 1), mat.View([]float32{3, 4, 5, 6}, 4, 1), mat.New(2, 2)
	group := []mat.MatrixProduct{
		{C: scores.RowRange(0, 1), A: queries.RowRange(0, 1), B: keys.RowRange(0, 2)},
		{C: scores.RowRange(1, 2), A: queries.RowRange(1, 2), B: keys.RowRange(2, 4)},
	}
	e.MulMatrixTGrouped(group)
	fmt.Println(scores.Row(0), scores.Row(1))
	e.MulAddMatrixTGrouped(group)
	fmt.Println(scores.Row(0), scores.Row(1))
	// Output:
	// [3 4] [10 12]
	// [6 8] [20 24]
}

// The gradients of the weights of two sequences, of one and of two rows.
func ExampleEngine_MulTMatrixGrouped() {
	e := engine()
	defer e.Close()
	x, dy := mat.View([]float32{1, 2, 3}, 3, 1), mat.View([]float32{1, 10, 100}, 3, 1)
	one, two := mat.New(1, 1), mat.New(1, 1)
	e.MulTMatrixGrouped([]mat.MatrixProduct{
		{C: one, A: x.RowRange(0, 1), B: dy.RowRange(0, 1)},
		{C: two, A: x.RowRange(1, 3), B: dy.RowRange(1, 3)},
	})
	fmt.Println(one.Data, two.Data)
	// Output: [1] [320]
}

// Gradients that are summed over several steps.
func ExampleEngine_MulAddTMatrixGrouped() {
	e := engine()
	defer e.Close()
	x, dy, dw := mat.View([]float32{1, 2}, 2, 1), mat.View([]float32{10, 100}, 2, 1), mat.New(1, 1)
	for range 3 {
		e.MulAddTMatrixGrouped([]mat.MatrixProduct{{C: dw, A: x, B: dy}})
	}
	fmt.Println(dw.Data)
	// Output: [630]
}
