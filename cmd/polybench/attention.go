package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"

	"github.com/polytropon/polytropon/mat"
)

// An attentionRow is one attention that polybench attention measures.
type attentionRow struct {
	kind         string // "bias" or "causal", and "backward" where it goes back
	heads, size  int
	lengths      []int
	shapeOfMixed string
}

var attentionRows = func() []attentionRow {
	mixed := []int{512, 3, 130, 64, 1, 257, 31, 90}
	var rows []attentionRow
	for _, direction := range []string{"", " backward"} {
		rows = append(rows,
			attentionRow{"bias" + direction, 8, 64, []int{512}, ""},
			attentionRow{"causal" + direction, 8, 64, []int{512}, ""},
			attentionRow{"bias" + direction, 1, 64, []int{512}, ""},
			attentionRow{"bias" + direction, 8, 16, []int{512}, ""},
			attentionRow{"bias" + direction, 8, 128, []int{512}, ""},
			attentionRow{"bias" + direction, 8, 256, []int{512}, ""},
			attentionRow{"bias" + direction, 8, 64, mixed, "mixed"},
		)
	}
	return rows
}()

func (r attentionRow) name() string { return r.kind }

// shape returns heads × head size × tokens.
func (r attentionRow) shape() string {
	if r.shapeOfMixed != "" {
		return fmt.Sprintf("%dx%dx%s", r.heads, r.size, r.shapeOfMixed)
	}
	return fmt.Sprintf("%dx%dx%d", r.heads, r.size, r.lengths[0])
}

func (r attentionRow) causal() bool   { return strings.HasPrefix(r.kind, "causal") }
func (r attentionRow) backward() bool { return strings.HasSuffix(r.kind, "backward") }

// flops counts two products forward and five back, of what a query sees.
func (r attentionRow) flops() float64 {
	pairs := 0
	for _, n := range r.lengths {
		if r.causal() {
			pairs += n * (n + 1) / 2
		} else {
			pairs += n * n
		}
	}
	products := 2
	if r.backward() {
		products = 5
	}
	return 2 * float64(products) * float64(pairs) * float64(r.heads*r.size)
}

// work returns a function that computes the row's attention once on e.
func (r attentionRow) work(e *mat.Engine) (func(*mat.Engine), *mat.Packed) {
	rng := rand.New(rand.NewPCG(1, 1))
	offsets := []int{0}
	for _, n := range r.lengths {
		offsets = append(offsets, offsets[len(offsets)-1]+n)
	}
	random := func(rows, cols int) mat.Matrix {
		m := mat.New(rows, cols)
		for i := range m.Data {
			m.Data[i] = rng.Float32() - 0.5
		}
		return m
	}
	rows, width := offsets[len(offsets)-1], r.heads*r.size
	biases := func() []mat.Matrix {
		b := make([]mat.Matrix, len(r.lengths))
		for s, n := range r.lengths {
			b[s] = random(r.heads, 2*n-1)
		}
		return b
	}
	a := mat.Attention{Heads: r.heads, HeadSize: r.size, Queries: offsets, Keys: offsets, Causal: r.causal(), Bias: biases()}
	q, k, v, out := random(rows, width), random(rows, width), random(rows, width), mat.New(rows, width)
	if !r.backward() {
		return func(e *mat.Engine) { e.Attention(out, q, k, v, a) }, nil
	}
	e.Attention(out, q, k, v, a)
	dOut := random(rows, width)
	d := mat.AttentionGradients{Q: mat.New(rows, width), K: mat.New(rows, width), V: mat.New(rows, width), Bias: biases()}
	return func(e *mat.Engine) { e.AttentionBackward(d, dOut, out, q, k, v, a) }, nil
}

// attention measures attention in both directions.
func attention(ctx context.Context, args []string, w io.Writer) error {
	return measureShares(ctx, "attention", "heads×size×tokens", attentionRows, args, w)
}
