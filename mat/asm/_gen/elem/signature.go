package main

import (
	"fmt"
	"strings"
)

// function returns the name of the kernel's function on a level.
func (k *kernel) function(level string) string { return k.name + level }

// signature returns parameters and result.
func (k *kernel) signature() string {
	args := k.inputs
	if k.dst {
		args = append([]string{"dst"}, args...)
	}
	s := strings.Join(args, ", ") + " []float32"
	if k.scalars != nil {
		s += ", " + strings.Join(k.scalars, ", ") + " float32"
	}
	s = "(" + s + ")"
	if k.fold != 0 {
		s += " float32"
	}
	return s
}

// frame returns the places of the slices in the frame, dst first where there is one, of the scalars and of the result, and the size.
func (k *kernel) frame() (slices, scalars []string, result string, size int) {
	args := k.inputs
	if k.dst {
		args = append([]string{"dst"}, args...)
	}
	for _, a := range args {
		slices = append(slices, fmt.Sprintf("%s_base+%d(FP)", a, size))
		size += 24
	}
	for _, a := range k.scalars {
		scalars = append(scalars, fmt.Sprintf("%s+%d(FP)", a, size))
		size += 4
	}
	if k.fold != 0 {
		size = (size + 7) &^ 7
		result = fmt.Sprintf("ret+%d(FP)", size)
		size += 4
	}
	return slices, scalars, result, size
}

// stubs declares the assembly functions of one architecture.
func stubs(levels ...string) []byte {
	var t text
	t.line("%s\n%s\npackage asm\n", header, noPortable)
	for _, l := range levels {
		t.variable(l)
	}
	for _, l := range levels {
		for _, k := range kernels {
			t.line("\n//go:noescape\nfunc %s%s", k.function(l), k.signature())
		}
	}
	return t.source()
}

// variable writes the variable that holds the kernels of a level.
func (t *text) variable(level string) {
	t.line("var elem%s = Elem{", level)
	for _, k := range kernels {
		t.line("%s: %s,", k.field, k.function(level))
	}
	t.line("}\n")
}
