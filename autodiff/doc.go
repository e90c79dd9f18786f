// Package autodiff is a reverse-mode tape over matrices: operations compute at once and are recorded, and Backward runs them in reverse
// to find the gradient of a number with respect to every parameter that led to it.
package autodiff
