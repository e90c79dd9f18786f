package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"

	"github.com/polytropon/polytropon/mat"
)

// A gemmRow is one product that polybench gemm measures.
type gemmRow struct {
	kind    string // which operands are packed, and so on
	m, k, n int
	count   int // products in the group
}

func (r gemmRow) name() string { return r.kind }

func (r gemmRow) shape() string {
	if r.kind == "kernel" {
		return "tile"
	}
	s := fmt.Sprintf("%dx%dx%d", r.m, r.k, r.n)
	if r.count > 1 {
		s = fmt.Sprintf("%dx(%s)", r.count, s)
	}
	return s
}

func (r gemmRow) flops() float64 {
	return 2 * float64(r.count) * float64(r.m) * float64(r.k) * float64(r.n)
}

var gemmRows = func() []gemmRow {
	var rows []gemmRow
	add := func(kind string, shapes ...[3]int) {
		for _, s := range shapes {
			rows = append(rows, gemmRow{kind, s[0], s[1], s[2], 1})
		}
	}
	large := [][3]int{{512, 512, 512}, {1024, 1024, 1024}, {2048, 2048, 2048}, {512, 512, 2048}, {512, 2048, 512}}
	thin := [][3]int{{16, 2048, 2048}, {4, 2048, 2048}, {1, 4096, 4096}}
	rows = append(rows, gemmRow{kind: "kernel", m: 1, k: 1, n: 1 << 24, count: kernelParts})
	add("prepacked", large...)
	add("unpacked", large...)
	add("unpacked", [3]int{64, 64, 64}, [3]int{128, 128, 128}, [3]int{256, 256, 256})
	add("prepacked", thin...)
	add("bf16", thin...)
	add("compact", thin...)
	add("compact bf16", thin...)
	add("prepacked", [3]int{512, 1024, 8}, [3]int{512, 1024, 16})
	add("accumulate", [3]int{512, 8, 1024})
	add("dx", large[0], [3]int{512, 1024, 8}, [3]int{512, 8, 1024})
	add("dw", large[0], [3]int{1024, 512, 8}, [3]int{8, 512, 1024})
	add("dw accumulate", large[0])
	rows = append(rows, gemmRow{"grouped", 128, 512, 16, 32})
	return rows
}()

// kernelParts is how many parts the row of the kernel alone has, for the threads to share.
const kernelParts = 16

// A kernelTask is the work of the row of the kernel alone.
type kernelTask struct {
	engine *mat.Engine
	flops  float64
}

// Do implements mat.Task.
func (t *kernelTask) Do(int) { t.engine.KernelProbe(t.flops / kernelParts) }

// work implements shareRow. Up to four rows of A are too few to hide the time that reading the weights takes.
func (r gemmRow) work(e *mat.Engine) (func(*mat.Engine), *mat.Packed) {
	if r.kind == "kernel" {
		return func(e *mat.Engine) { e.Run(kernelParts, &kernelTask{e, r.flops()}) }, nil
	}
	rng := rand.New(rand.NewPCG(1, 1))
	random := func(rows, cols int) mat.Matrix {
		m := mat.New(rows, cols)
		for i := range m.Data {
			m.Data[i] = rng.Float32() - 0.5
		}
		return m
	}
	a, b, c := random(r.m, r.k), random(r.k, r.n), mat.New(r.m, r.n)
	switch r.kind {
	case "unpacked":
		return func(e *mat.Engine) { e.MulMatrix(c, a, b) }, nil
	case "bf16":
		half := make([]mat.BFloat16, len(b.Data))
		for i := range half {
			half[i] = mat.BFloat16(0x3f00 + rng.IntN(0x80)) // 0.5 to 1
		}
		return r.prepacked(c, a, mat.Pack(e, half, r.k, r.n, r.n))
	case "compact":
		return r.prepacked(c, a, mat.CompactT(e, random(r.n, r.k).Data, r.n, r.k, r.k))
	case "compact bf16":
		half := make([]mat.BFloat16, r.n*r.k)
		for i, v := range random(r.n, r.k).Data {
			half[i] = mat.BFloat16(math.Float32bits(v) >> 16)
		}
		return r.prepacked(c, a, mat.CompactT(e, half, r.n, r.k, r.k))
	case "dx":
		p := mat.Pack(e, random(r.n, r.k).Data, r.n, r.k, r.k)
		return func(e *mat.Engine) { e.MulT(c, a, p) }, nil
	case "dw":
		t := random(r.k, r.m)
		return func(e *mat.Engine) { e.MulTMatrix(c, t, b) }, nil
	case "dw accumulate":
		t := random(r.k, r.m)
		return func(e *mat.Engine) { e.MulAddTMatrix(c, t, b) }, nil
	case "accumulate":
		p := mat.Pack(e, b.Data, r.k, r.n, r.n)
		return func(e *mat.Engine) { e.MulAdd(c, a, p) }, nil
	case "grouped":
		group := make([]mat.Product, r.count)
		for i := range group {
			group[i] = mat.Product{C: mat.New(r.m, r.n), A: random(r.m, r.k), B: mat.Pack(e, random(r.k, r.n).Data, r.k, r.n, r.n)}
		}
		return func(e *mat.Engine) { e.MulGrouped(group) }, nil
	}
	return r.prepacked(c, a, mat.Pack(e, b.Data, r.k, r.n, r.n))
}

// prepacked is work where b is p.
func (r gemmRow) prepacked(c, a mat.Matrix, p *mat.Packed) (func(*mat.Engine), *mat.Packed) {
	work := func(e *mat.Engine) { e.Mul(c, a, p) }
	if r.m > 4 {
		return work, nil
	}
	return work, p
}

// gemm measures matrix products.
func gemm(ctx context.Context, args []string, w io.Writer) error {
	return measureShares(ctx, "gemm", "M×K×N", gemmRows, args, w)
}
