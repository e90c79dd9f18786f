package main

import (
	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/backends/simplego"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// gomlxProduct compiles the product for gomlx's backend in Go. With beta 1 it adds c to a new result: a graph does not write to its
// inputs.
func gomlxProduct(p product) (run func(), result func() []float32) {
	backend := must(simplego.New(""))
	graph := backend.Builder("product")
	var inputs []backends.Buffer
	parameter := func(name string, data []float32, rows, cols int) backends.Op {
		shape := shapes.Make(dtypes.Float32, p.count, rows, cols)
		inputs = append(inputs, must(backend.BufferFromFlatData(0, data, shape)))
		return must(graph.Parameter(name, shape, nil))
	}
	dataA, dataB, dataC := p.operands()
	a, b := parameter("a", dataA, p.m, p.k), parameter("b", dataB, p.k, p.n)
	out := must(graph.DotGeneral(a, []int{2}, []int{0}, b, []int{1}, []int{0}))
	if p.beta == 1 {
		out = must(graph.Add(out, parameter("c", dataC, p.m, p.n)))
	}
	program := must(graph.Compile([]backends.Op{out}, nil))
	var c backends.Buffer
	run = func() {
		if c != nil {
			must(0, backend.BufferFinalize(c)) // keeps its memory for the next one
		}
		c = must(program.Execute(inputs, nil, 0))[0]
	}
	return run, func() []float32 { return must(backend.BufferData(c)).([]float32) }
}

// must ends the peer on an error: it then counts as missing.
func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}
