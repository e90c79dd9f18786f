package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/polytropon/polytropon/mat"
)

// An elemRow is a function over elemCount floats that polybench elem measures.
type elemRow struct {
	name    string
	streams int // how many times elemCount floats are read or written
	run     func(e *mat.Engine, dst, y, x mat.Matrix)
}

// unary is for a function of x only.
func unary(f func(e *mat.Engine, dst, x mat.Matrix)) func(e *mat.Engine, dst, y, x mat.Matrix) {
	return func(e *mat.Engine, dst, _, x mat.Matrix) { f(e, dst, x) }
}

// elemCount floats in rows of elemCols.
const elemCount, elemCols = 1 << 20, 1024

var elemRows = []elemRow{
	{"relu", 2, unary((*mat.Engine).ReLU)},
	{"add", 3, func(e *mat.Engine, dst, _, x mat.Matrix) { e.Add(dst, dst, x) }},
	{"exp", 2, unary((*mat.Engine).Exp)},
	{"sigmoid", 2, unary((*mat.Engine).Sigmoid)},
	{"silu", 2, unary((*mat.Engine).SiLU)},
	{"tanh", 2, unary((*mat.Engine).Tanh)},
	{"gelu_tanh", 2, unary((*mat.Engine).GELUTanh)},
	{"gelu_erf", 2, unary((*mat.Engine).GELU)},
	{"softmax", 2, unary((*mat.Engine).Softmax)},
	{"rms_norm", 2, unary(func(e *mat.Engine, dst, x mat.Matrix) { e.RMSNorm(dst, x, x.Row(0), 1e-6) })},

	// The way back, y being the gradient.
	{"relu_back", 3, (*mat.Engine).ReLUBackward},
	{"sigmoid_back", 3, (*mat.Engine).SigmoidBackward},
	{"silu_back", 3, (*mat.Engine).SiLUBackward},
	{"tanh_back", 3, (*mat.Engine).TanhBackward},
	{"gelu_tanh_back", 3, (*mat.Engine).GELUTanhBackward},
	{"gelu_erf_back", 3, (*mat.Engine).GELUBackward},
	{"softmax_back", 3, (*mat.Engine).SoftmaxBackward},
	{"rms_norm_back", 3, func(e *mat.Engine, dst, y, x mat.Matrix) { e.RMSNormBackward(dst, y, x, x.Row(0), 1e-6) }},
	{"rms_norm_weight_back", 2, func(e *mat.Engine, dst, y, x mat.Matrix) { e.RMSNormWeightBackward(dst.Row(0), y, x, 1e-6) }},
	{"cross_entropy_back", 2, unary(func(e *mat.Engine, dst, x mat.Matrix) { e.CrossEntropyBackward(dst, x, elemLabels, -100, 0.5) })},

	{"rope", 2, func(e *mat.Engine, dst, _, _ mat.Matrix) { e.Rope(dst, elemCols/64, 64, elemCos(), elemSin()) }},
}

// elemLabels are the labels of the rows, elemCos and elemSin the angles by which their heads of 64 are turned.
var (
	elemLabels = make([]int, elemCount/elemCols)
	elemCos    = sync.OnceValue(func() mat.Matrix { return angles(mat.Cos) })
	elemSin    = sync.OnceValue(func() mat.Matrix { return angles(mat.Sin) })
)

func angles(f func(float64) float64) mat.Matrix {
	m := mat.New(elemCount/elemCols, 32)
	for i := range m.Data {
		m.Data[i] = float32(f(float64(i)))
	}
	return m
}

// An elemResult is a line of polybench elem -json.
type elemResult struct {
	Function string  `json:"function"`
	Threads  int     `json:"threads"`
	Level    string  `json:"level"`
	GBps     float64 `json:"gb_per_s"` // median, read and written
	GBpsP75  float64 `json:"gb_per_s_p75"`
}

// elem measures element and row functions, sample by sample in turn; on one thread unless told otherwise.
func elem(ctx context.Context, args []string, w io.Writer) error {
	o, err := parseSampling("elem", args, true)
	if err != nil {
		return err
	}
	if o.Threads == 0 {
		o.Threads = 1
	}
	e, err := newEngine(o.Options)
	if err != nil {
		return err
	}
	defer e.Close()
	rng := rand.New(rand.NewPCG(1, 1))
	x, y, dst := mat.New(elemCount/elemCols, elemCols), mat.New(elemCount/elemCols, elemCols), mat.New(elemCount/elemCols, elemCols)
	for i := range x.Data {
		x.Data[i], y.Data[i] = float32(rng.NormFloat64()), float32(rng.NormFloat64())
	}
	var rows []elemRow
	var samplers []*sampler
	for _, row := range elemRows {
		if strings.Contains(row.name, o.rows) {
			rows = append(rows, row)
			samplers = append(samplers, newSampler(e, float64(4*row.streams*elemCount), func() { row.run(e, dst, y, x) }))
		}
	}
	if len(rows) == 0 {
		return usageError(fmt.Sprintf("-rows: got %q, want a part of a row's name", o.rows))
	}
	for range o.samples {
		for _, s := range samplers {
			if err := ctx.Err(); err != nil {
				return err
			}
			s.sample()
		}
	}
	results := make([]elemResult, len(rows))
	for i, s := range samplers {
		results[i] = elemResult{rows[i].name, e.Threads(), e.Level(), median(s.rates), quantile(s.rates, 0.75)}
	}
	if o.json {
		return encodeLines(w, results)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "level %s, %d threads, %d floats\tGB/s\tp75\t\n", e.Level(), e.Threads(), elemCount)
	for _, r := range results {
		fmt.Fprintf(t, "%s\t%.1f\t%.1f\t\n", r.Function, r.GBps, r.GBpsP75)
	}
	return t.Flush()
}
