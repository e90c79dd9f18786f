//go:build !unix

package asm

// A placer places an operand; on this system it has no guard pages.
type placer struct{}

var atStart, atEnd placer

func placed[T any](p placer, n int) []T { return make([]T, n) }
