package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/polytropon/polytropon/mat"
)

// A shareRow is work that is measured as a share of what multiply-adds reach in registers.
type shareRow interface {
	name() string
	shape() string
	flops() float64
	// work returns a function that does the work once, on any engine of e's level, and the weights if reading them is what bounds it.
	work(e *mat.Engine) (func(*mat.Engine), *mat.Packed)
}

// A shareResult is a line of measureShares with -json.
type shareResult struct {
	Shape     string  `json:"shape"`
	Kind      string  `json:"kind"`
	Threads   int     `json:"threads"`
	Level     string  `json:"level"`
	GFLOPS    float64 `json:"gflops"`  // median
	Ceiling   float64 `json:"ceiling"` // median, of all threads
	Share     float64 `json:"share"`   // median of the samples' shares of the ceiling
	ShareP75  float64 `json:"share_p75"`
	Read      float64 `json:"read_gbps,omitempty"`  // median, of the weights, where reading bounds the work
	ReadShare float64 `json:"read_share,omitempty"` // median of the samples' shares of it
	Speedup   float64 `json:"speedup,omitempty"`    // over one thread, ratio of medians
}

// measureShares measures the rows on one thread and on all, sample by sample in turn; shape says what the rows' shapes mean.
func measureShares[R shareRow](ctx context.Context, command, shape string, rows []R, args []string, w io.Writer) error {
	o, err := parseSampling(command, args, true)
	if err != nil {
		return err
	}
	all, err := newEngine(o.Options)
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
	var results []shareResult
	for _, row := range rows {
		if !strings.Contains(row.name()+" "+row.shape(), o.rows) {
			continue
		}
		progress.step(row.name() + " " + row.shape())
		r, err := measureShare(ctx, row, engines, o.samples)
		if err != nil {
			return err
		}
		results = append(results, r...)
	}
	progress.done()
	if len(results) == 0 {
		return usageError(fmt.Sprintf("-rows: got %q, want a part of a row's kind and shape", o.rows))
	}
	if o.json {
		return encodeLines(w, results)
	}
	return printShares(w, all.Level(), shape, results)
}

// measureShare measures a row on each engine, sample by sample in turn. The last engine has all threads, and the one before it, if any, one.
func measureShare(ctx context.Context, row shareRow, engines []*mat.Engine, samples int) ([]shareResult, error) {
	work, weights := row.work(engines[len(engines)-1])
	samplers, readers := make([]*sampler, len(engines)), make([]*reader, len(engines))
	for i, e := range engines {
		samplers[i] = newSampler(e, row.flops(), func() { work(e) })
		readers[i] = newReader(e, weights)
	}
	for range samples {
		for i, s := range samplers {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			s.sample()
			readers[i].sample(s.seconds[len(s.seconds)-1])
		}
	}
	results := make([]shareResult, len(engines))
	for i, s := range samplers {
		r := shareResult{
			Shape: row.shape(), Kind: row.name(), Threads: engines[i].Threads(), Level: engines[i].Level(),
			GFLOPS: median(s.rates), Ceiling: median(s.ceilings), Share: median(s.shares), ShareP75: quantile(s.shares, 0.75),
		}
		if rd := readers[i]; rd != nil {
			r.Read, r.ReadShare = median(rd.rates), median(rd.shares)
		}
		if i > 0 {
			r.Speedup = r.GFLOPS / results[0].GFLOPS
		}
		results[i] = r
	}
	return results, nil
}

// printShares prints a table of results.
func printShares(w io.Writer, level, shape string, results []shareResult) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "level %s, shape %s\tkind\tthreads\tGFLOPS\tceiling\tshare\tp75\tof reading\tspeed-up\t\n", level, shape)
	for _, r := range results {
		fmt.Fprintf(t, "%s\t%s\t%d\t%.1f\t%.1f\t%.1f %%\t%.1f %%\t", r.Shape, r.Kind, r.Threads, r.GFLOPS, r.Ceiling, 100*r.Share, 100*r.ShareP75)
		if r.Read > 0 {
			fmt.Fprintf(t, "%.1f %% of %.1f GB/s", 100*r.ReadShare, r.Read)
		}
		fmt.Fprint(t, "\t")
		if r.Speedup > 0 {
			fmt.Fprintf(t, "%.2f", r.Speedup)
		}
		fmt.Fprint(t, "\t\n")
	}
	return t.Flush()
}
