package autodiff

import (
	"fmt"
	"slices"

	"github.com/polytropon/polytropon/mat"
)

// A Param is something that is trained: a named tensor and the gradient of a loss with respect to it. An optimiser changes Value by what
// Grad holds; a backward pass adds to Grad.
type Param struct {
	Name  string
	Shape []int      // of the tensor, as a file names it: any number of dimensions
	Value mat.Matrix // the tensor's elements in row-major order; the stride is the number of columns
	Grad  mat.Matrix // of Value's shape
}

// NewParam returns a parameter of the given shape that has value, which it keeps, as a matrix whose columns are the last dimension, and a
// gradient of zeros.
func NewParam(name string, shape []int, value []float32) *Param {
	size, cols := 1, 1
	for _, d := range shape {
		size, cols = size*d, d
	}
	if len(value) != size {
		panic(fmt.Sprintf("autodiff: parameter %s: %d values for the shape %v", name, len(value), slices.Clone(shape)))
	}
	rows := 0
	if cols > 0 {
		rows = size / cols
	}
	return &Param{Name: name, Shape: shape, Value: mat.View(value, rows, cols), Grad: mat.New(rows, cols)}
}

// ZeroGrad sets the gradient to zeros.
func (p *Param) ZeroGrad() { clear(p.Grad.Data) }
