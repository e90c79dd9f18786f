// Package autodiff is a reverse-mode tape over matrices: operations compute at once and are recorded, and Backward runs them in reverse
// to find the gradient of a number with respect to every parameter that led to it. A step of training is
//
//	tape.Reset()
//	… operations on tape.Param(p) and Constant(m), down to a loss of 1 × 1 …
//	tape.Backward(loss, 1)
//	… each p.Value is changed by its p.Grad, and p.ZeroGrad() …
//
// What depends on no parameter is computed and not recorded. Matrices that a tape was given, its operations' results among them, must not
// change before Backward has run. A new operation is a type with the method Backward: see [Record].
package autodiff
