package mat_test

import (
	"fmt"
	"log"

	"github.com/polytropon/polytropon/mat"
)

// A linear layer and its activation, y = relu(x·wᵀ), for two rows.
func Example() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	w := mat.PackT(e, []float32{1, -1, 0, 2}, 2, 2, 2) // once, for all calls
	x := mat.View([]float32{3, 1, 1, -4}, 2, 2)
	y := mat.New(2, 2)
	e.Mul(y, x, w)
	e.ReLU(y, y)
	fmt.Println(y.Row(0), y.Row(1))
	// Output: [2 2] [5 0]
}

// The same bits on every level, and on any number of threads.
func ExampleLevels() {
	same := true
	var first float32
	for i, level := range mat.Levels() {
		e, err := mat.NewEngine(mat.Options{Level: level, Threads: 1 + i})
		if err != nil {
			log.Fatal(err)
		}
		x := mat.View([]float32{0.3, -1.7, 12.5}, 1, 3)
		e.GELU(x, x)
		sum := e.SumRow(x.Row(0))
		if i == 0 {
			first = sum
		}
		same = same && sum == first
		e.Close()
	}
	fmt.Println(same)
	// Output: true
}

// squares is work that an engine shares among its workers.
type squares []int

// Do implements mat.Task.
func (s squares) Do(i int) { s[i] = i * i }

func ExampleEngine_Run() {
	e := engine()
	defer e.Close()
	s := make(squares, 6)
	e.Run(len(s), s)
	fmt.Println(s)
	// Output: [0 1 4 9 16 25]
}

// Views of a matrix share its memory: a head is a range of columns, a sequence a range of rows.
func ExampleMatrix_Range() {
	m := mat.View([]float32{1, 2, 3, 4, 5, 6, 7, 8}, 2, 4)
	right := m.ColRange(2, 4)
	fmt.Println(right.Shape(), right.Row(1))
	m.Range(0, 1, 2, 3).Row(0)[0] = 30
	fmt.Println(right.Row(0), m.RowRange(1, 2).Row(0))
	// Output:
	// 2×2 [7 8]
	// [30 4] [5 6 7 8]
}

// Scratch memory is taken back in the reverse order, and used again.
func ExampleArena() {
	var a mat.Arena
	kept := a.Matrix(2, 3)
	mark := a.Mark()
	first := &a.Matrix(4, 4).Data[0]
	a.Release(mark)
	again := &a.Matrix(4, 4).Data[0]
	fmt.Println(kept.Shape(), first == again)
	// Output: 2×3 true
}

func ExampleEngine_LogSumExp() {
	e := engine()
	defer e.Close()
	logits := mat.View([]float32{0, 0, 1000, -1000}, 2, 2)
	sums := make([]float32, 2)
	e.LogSumExp(sums, logits)
	fmt.Println(sums)
	// Output: [0.6931472 1000]
}

// The portable code, which is the same on every machine.
func ExampleEngine_Tile() {
	e, err := mat.NewEngine(mat.Options{Level: "generic", Threads: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	rows, cols := e.Tile()
	fmt.Println(e.Level(), e.Threads(), rows, cols)
	// Output: generic 2 4 16
}

// Memory for the time of a call.
func ExampleEngine_Borrow() {
	e := engine()
	defer e.Close()
	squares := e.Borrow(3) // of any content
	e.MulRow(squares, []float32{1, 2, 3}, []float32{1, 2, 3})
	fmt.Println(e.SumRow(squares))
	e.Return(squares)
	// Output: 14
}
