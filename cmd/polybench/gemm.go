package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"text/tabwriter"

	"github.com/polytropon/polytropon/mat"
)

// A gemmRow is one product that polybench gemm measures.
type gemmRow struct {
	kind    string // which operands are packed, and so on
	m, k, n int
	count   int // products in the group
}

func (r gemmRow) shape() string {
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
	add("prepacked", large...)
	add("unpacked", large...)
	add("unpacked", [3]int{64, 64, 64}, [3]int{128, 128, 128}, [3]int{256, 256, 256})
	add("prepacked", thin...)
	add("bf16", thin...)
	add("prepacked", [3]int{512, 1024, 8}, [3]int{512, 1024, 16})
	add("accumulate", [3]int{512, 8, 1024})
	rows = append(rows, gemmRow{"grouped", 128, 512, 16, 32})
	return rows
}()

// work returns a function that computes the row's product once on e.
func (r gemmRow) work(e *mat.Engine) func() {
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
		return func() { e.MulMatrix(c, a, b) }
	case "bf16":
		half := make([]mat.BFloat16, len(b.Data))
		for i := range half {
			half[i] = mat.BFloat16(0x3f00 + rng.IntN(0x80)) // 0.5 to 1
		}
		p := mat.Pack(e, half, r.k, r.n, r.n)
		return func() { e.Mul(c, a, p) }
	case "accumulate":
		p := mat.Pack(e, b.Data, r.k, r.n, r.n)
		return func() { e.MulAdd(c, a, p) }
	case "grouped":
		group := make([]mat.Product, r.count)
		for i := range group {
			group[i] = mat.Product{C: mat.New(r.m, r.n), A: random(r.m, r.k), B: mat.Pack(e, random(r.k, r.n).Data, r.k, r.n, r.n)}
		}
		return func() { e.MulGrouped(group) }
	}
	p := mat.Pack(e, b.Data, r.k, r.n, r.n)
	return func() { e.Mul(c, a, p) }
}

// A gemmResult is a line of polybench gemm -json.
type gemmResult struct {
	Shape    string  `json:"shape"`
	Kind     string  `json:"kind"`
	Threads  int     `json:"threads"`
	Level    string  `json:"level"`
	GFLOPS   float64 `json:"gflops"`  // median
	Ceiling  float64 `json:"ceiling"` // median, of all threads
	Share    float64 `json:"share"`   // median of the samples' shares of the ceiling
	ShareP75 float64 `json:"share_p75"`
	Speedup  float64 `json:"speedup,omitempty"` // over one thread, ratio of medians
}

// gemm measures matrix products on one thread and on all, sample by sample in turn.
func gemm(ctx context.Context, args []string, w io.Writer) error {
	flags := flag.NewFlagSet("gemm", flag.ContinueOnError)
	asJSON := flags.Bool("json", false, "")
	samples := flags.Int("samples", 15, "")
	only := flags.String("rows", "", "")
	options := engineFlags(flags)
	if err := parse(flags, args, 0); err != nil {
		return err
	}
	if *samples < 1 {
		return usageError("-samples: want at least 1")
	}
	all, err := mat.NewEngine(*options)
	if err != nil {
		return err
	}
	defer all.Close()
	engines := []*mat.Engine{all}
	if all.Threads() > 1 {
		one, err := mat.NewEngine(mat.Options{Threads: 1, Level: all.Level()})
		if err != nil {
			return err
		}
		defer one.Close()
		engines = []*mat.Engine{one, all}
	}
	progress := newProgress()
	defer progress.done()
	var results []gemmResult
	for _, row := range gemmRows {
		if !strings.Contains(row.kind+" "+row.shape(), *only) {
			continue
		}
		progress.step(row.kind + " " + row.shape())
		samplers := make([]*sampler, len(engines))
		for i, e := range engines {
			samplers[i] = newSampler(e, row.flops(), row.work(e))
		}
		for range *samples {
			for _, s := range samplers {
				if err := ctx.Err(); err != nil {
					return err
				}
				s.sample()
			}
		}
		for i, s := range samplers {
			r := gemmResult{
				Shape: row.shape(), Kind: row.kind, Threads: engines[i].Threads(), Level: all.Level(),
				GFLOPS: median(s.rates), Ceiling: median(s.ceilings), Share: median(s.shares), ShareP75: quantile(s.shares, 0.75),
			}
			if i > 0 {
				r.Speedup = r.GFLOPS / median(samplers[0].rates)
			}
			results = append(results, r)
		}
	}
	progress.done()
	if *asJSON {
		out := json.NewEncoder(w)
		for _, r := range results {
			if err := out.Encode(r); err != nil {
				return err
			}
		}
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "level %s, shape M×K×N\tkind\tthreads\tGFLOPS\tceiling\tshare\tp75\tspeed-up\t\n", all.Level())
	for _, r := range results {
		fmt.Fprintf(t, "%s\t%s\t%d\t%.1f\t%.1f\t%.1f %%\t%.1f %%\t", r.Shape, r.Kind, r.Threads, r.GFLOPS, r.Ceiling, 100*r.Share, 100*r.ShareP75)
		if r.Speedup > 0 {
			fmt.Fprintf(t, "%.2f", r.Speedup)
		}
		fmt.Fprint(t, "\t\n")
	}
	return t.Flush()
}
