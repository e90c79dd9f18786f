package main

import (
	"fmt"

	"github.com/polytropon/polytropon/mat"
)

// A row is something that is measured: a line of the table.
type row struct {
	kind, shape string
	job         string  // what the peers are told to do
	work        float64 // how much one repetition does, in units of
	unit        string  // what the table shows per second
	flops       float64 // of one repetition, where the share of the ceiling says something, or 0
	tolerance   float64 // how far a result may be from ours, as a share of the largest element

	// ours prepares our side: what to repeat, and the result of the last repetition.
	ours func(e *mat.Engine) (run func(), result func() []float32, err error)
}

func (r row) name() string { return r.kind + " " + r.shape }

// rows returns all rows: the products are those of polybench gemm, by the same names. The T5 model is kept in folder.
func rows(folder string) []row {
	var all []row
	products := func(kind string, shapes ...[3]int) {
		for _, s := range shapes {
			all = append(all, gemm{kind, s[0], s[1], s[2], 1}.row())
		}
	}
	for _, which := range []string{"base", "adapter"} {
		all = append(all, t5{folder: folder, which: which, batch: 8, source: 128, target: 32}.row())
	}
	all = append(all, t5Train{t5{folder: folder, which: "adapter", batch: 8, source: 128, target: 32}}.row())
	all = append(all, llamaTrain{folder: folder + "/llama", batch: 4, length: 256}.row())
	for _, batch := range []int{1, 8} {
		all = append(all, t5Generate{t5{folder: folder, which: "adapter", batch: batch, source: 32, target: 32}}.row())
	}
	for _, l := range []llama{
		{which: "base", storage: "f32", prompt: 4, new: 32}, {which: "base", storage: "bf16", prompt: 4, new: 32},
		{which: "adapter", storage: "f32", prompt: 4, new: 32}, {which: "adapter", storage: "widened", prompt: 4, new: 32},
		{which: "base", storage: "f32", prompt: 512, new: 1}, {which: "base", storage: "bf16", prompt: 512, new: 1},
	} {
		l.folder = folder + "/llama"
		all = append(all, l.row())
	}
	large := [][3]int{{512, 512, 512}, {1024, 1024, 1024}, {2048, 2048, 2048}, {512, 512, 2048}, {512, 2048, 512}}
	few := [][3]int{{16, 2048, 2048}, {4, 2048, 2048}, {1, 4096, 4096}}
	products("prepacked", large...)
	products("unpacked", large...)
	products("unpacked", [3]int{64, 64, 64}, [3]int{128, 128, 128}, [3]int{256, 256, 256})
	products("prepacked", few...)
	products("bf16", few...)
	products("prepacked", [3]int{512, 1024, 8}, [3]int{512, 1024, 16})
	products("accumulate", [3]int{512, 8, 1024})
	all = append(all, gemm{"grouped", 128, 512, 16, 32}.row())
	for _, name := range []string{"exp", "sigmoid", "silu", "tanh", "gelu_tanh", "gelu", "softmax", "rms_norm"} {
		all = append(all, elem{name: name, rows: 1024, cols: 1024}.row())
	}
	return all
}

// operand returns a matrix of values in ±½ on a cache line's boundary. Every peer makes the same ones.
func operand(e *mat.Engine, seed uint32, rows, cols int) mat.Matrix {
	x := e.Borrow(rows * cols) // never returned: each row has its own
	fill(x, seed)
	return mat.View(x, rows, cols)
}

// The seeds of what a job reads and of what it writes or adds to.
const (
	seedA = 1
	seedB = 2
	seedC = 3
)

func fill(x []float32, seed uint32) {
	for i := range x {
		x[i] = float32(hash(i, seed))/(1<<24) - 0.5
	}
}

// hash returns 24 bits.
func hash(i int, seed uint32) uint32 {
	h := uint32(i)*2654435761 + seed*2246822519
	return (h ^ h>>15) * 739982445 >> 8
}

// tokens returns the ids of a batch of sequences of equal length.
func tokens(seed uint32, batch, length, vocabulary int) [][]int {
	ids := make([][]int, batch)
	for i := range ids {
		ids[i] = make([]int, length)
		for j := range length {
			ids[i][j] = int(hash(i*length+j, seed)) % vocabulary
		}
	}
	return ids
}

// shape returns a product's shape as polybench writes it.
func shape(m, k, n, count int) string {
	s := fmt.Sprintf("%dx%dx%d", m, k, n)
	if count > 1 {
		s = fmt.Sprintf("%dx(%s)", count, s)
	}
	return s
}
