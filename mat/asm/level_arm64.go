//go:build !purego && !noasm

package asm

// Every arm64 processor that Go runs on has the vector instructions.
var levels = []*Level{neon, generic}

var neon = &Level{Name: "neon", Gemm: gemmNEON, Elem: elemNEON}
