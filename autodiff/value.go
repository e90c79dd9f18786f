package autodiff

import "github.com/polytropon/polytropon/mat"

// A Value is a matrix that operations take and return. What an operation returns belongs to its tape until the tape is reset, and must
// not be changed. (Methods of Matrix that return a view of it return no Value: the tape does not see what is done with a view.)
type Value struct {
	mat.Matrix
	tape *Tape  // nil for a constant that did not come from an operation
	era  uint64 // of the tape, when the value was made
	id   int    // of its gradient on the tape; 0 where it needs none
}

// Constant returns m as a value that needs no gradient. Operations read m until the tape is reset.
func Constant(m mat.Matrix) Value { return Value{Matrix: m} }

// Needs reports whether v depends on a parameter, so that Backward finds its gradient.
func (v Value) Needs() bool { return v.id != 0 }
