package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/polytropon/polytropon/generate"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/safetensors"
)

// A decodeResult is a line of polybench decode with -json. Rates are medians, in tokens/s of all sequences.
type decodeResult struct {
	Storage   string  `json:"storage"`
	Threads   int     `json:"threads"`
	Level     string  `json:"level"`
	Batch     int     `json:"batch"`
	Prefill   float64 `json:"prefill,omitempty"` // of a prompt of prefillTokens, alone
	Base      float64 `json:"base"`              // with all logits
	Greedy    float64 `json:"greedy"`            // of the base with those that can be the largest
	Adapter   float64 `json:"adapter"`
	Overhead  float64 `json:"overhead"`   // of the adapter: median of the samples' ratios, less 1
	Read      float64 `json:"read_gbps"`  // of memory, by all threads
	ReadShare float64 `json:"read_share"` // the time to read every weight once, of that of a step of the base

	GreedyShare float64 `json:"greedy_share"` // of that of a greedy step, which does not read every weight
	Held        float64 `json:"held"`         // the bytes that the weights of linear layers take in memory, of those in a file
}

const (
	promptTokens, prefillTokens = 32, 512 // before tokens are decoded; of the prompt that prefill is measured with
	decodeSteps                 = 4       // in a sample
)

// decode measures decoding with a cache, of a Llama shape.
func decode(ctx context.Context, args []string, w io.Writer) error {
	o, err := parseSampling("decode", args, false)
	if err != nil {
		return err
	}
	e, err := newEngine(o.Options)
	if err != nil {
		return err
	}
	defer e.Close()
	progress := newProgress()
	defer progress.done()
	var results []decodeResult
	for _, storage := range []safetensors.DType{safetensors.F32, safetensors.BF16} {
		progress.step(fmt.Sprintf("making the weights in %s", storage))
		m, err := newLlama135(e, storage)
		if err != nil {
			return err
		}
		for _, batch := range []int{1, 4, 16} {
			progress.step(fmt.Sprintf("%s, batch %d", storage, batch))
			r, err := m.measure(ctx, batch, o.samples)
			if err != nil {
				return err
			}
			if batch == 1 {
				if r.Prefill, err = m.prefill(ctx, o.samples); err != nil {
					return err
				}
			}
			r.Storage = storage.String()
			results = append(results, r)
		}
	}
	progress.done()
	if o.json {
		return encodeLines(w, results)
	}
	fmt.Fprintf(w, "Llama 135M shape, level %s, %d threads, MHR r %d, %d skills, %d splits on q and v, tasks mixed; tokens/s\n",
		e.Level(), e.Threads(), smallRank, smallSkills, smallSplits)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "weights\theld in\tbatch\tbase\tof reading\tgreedy\tof reading\twith adapter\toverhead\tprompt of %d\t\n", prefillTokens)
	for _, r := range results {
		fmt.Fprintf(t, "%s\t%.1f %%\t%d\t%.1f\t%.1f %% of %.1f GB/s\t%.1f\t%.1f %%\t%.1f\t%.1f %%\t",
			r.Storage, 100*r.Held, r.Batch, r.Base, 100*r.ReadShare, r.Read, r.Greedy, 100*r.GreedyShare, r.Adapter, 100*r.Overhead)
		if r.Prefill > 0 {
			fmt.Fprintf(t, "%.0f", r.Prefill)
		}
		fmt.Fprint(t, "\t\n")
	}
	return t.Flush()
}

// measure times the steps of a batch with and without an adapter, in turn, and the reading of weights.
func (l *llama135) measure(ctx context.Context, batch, samples int) (decodeResult, error) {
	e := l.model.Engine()
	bare, err := l.decoding(ctx, batch, false)
	if err != nil {
		return decodeResult{}, err
	}
	greedy, err := l.decoding(ctx, batch, false)
	if err != nil {
		return decodeResult{}, err
	}
	greedy.largest = 1
	adapted, err := l.decoding(ctx, batch, true)
	if err != nil {
		return decodeResult{}, err
	}
	read := newReadings(e, l.bytes)
	var bases, greedies, adapters, ratios []float64
	for i := range samples + 1 {
		few, err := greedy.sample(ctx)
		if err != nil {
			return decodeResult{}, err
		}
		read.sample()
		base, err := bare.sample(ctx)
		if err != nil {
			return decodeResult{}, err
		}
		read.sample()
		adapter, err := adapted.sample(ctx)
		if err != nil {
			return decodeResult{}, err
		}
		if i == 0 {
			continue // memory is new
		}
		bases, greedies = append(bases, base), append(greedies, few)
		adapters, ratios = append(adapters, adapter), append(ratios, adapter/base)
	}
	n, best := float64(batch), read.best()
	var shares, greedyShares []float64 // each sample lies between two readings
	for i, base := range bases {
		read := (best[2*i+2] + best[2*i+3]) / 2
		shares, greedyShares = append(shares, read/base), append(greedyShares, read/greedies[i])
	}
	return decodeResult{
		Threads: e.Threads(), Level: e.Level(), Batch: batch, Base: n / median(bases), Greedy: n / median(greedies),
		Adapter: n / median(adapters), Overhead: median(ratios) - 1, Read: float64(l.bytes) / median(best) / 1e9, ReadShare: median(shares),
		GreedyShare: median(greedyShares), Held: l.held(),
	}, nil
}

// prefill returns how many tokens/s of a prompt are computed, the median of some runs.
func (l *llama135) prefill(ctx context.Context, samples int) (float64, error) {
	var rates []float64
	for range max(2, samples/4) {
		d, err := l.model.Decoder(l.requests(1, prefillTokens, false))
		if err != nil {
			return 0, err
		}
		start := time.Now()
		if _, err := d.Start(ctx); err != nil {
			return 0, err
		}
		rates = append(rates, prefillTokens/time.Since(start).Seconds())
	}
	return median(rates), nil
}

// readings are the seconds that it takes to read as many bytes as a step does, so that caches hold as little of them, as 1, 2, 4 and 8 streams a part. (The
// best of four samples that noise spreads would be a bound that no work of one sample reaches.)
type readings struct {
	reader
	seconds [4][]float64
}

func newReadings(e *mat.Engine, bytes int64) *readings {
	const width = 4096
	rows := int(bytes) / 4 / width
	return &readings{reader: *newReader(e, mat.Pack(e, make([]float32, rows*width), rows, width, width))}
}

func (r *readings) sample() {
	for i := range r.seconds {
		r.stream = 1 << i
		start := time.Now()
		r.engine.Run(r.parts, &r.reader)
		r.seconds[i] = append(r.seconds[i], time.Since(start).Seconds())
	}
}

// best returns the samples of the number of streams that is the fastest.
func (r *readings) best() []float64 {
	return slices.MinFunc(r.seconds[:], func(a, b []float64) int { return cmp.Compare(median(a), median(b)) })
}

// decoding is a batch in progress.
type decoding struct {
	decoder *model.Decoder
	engine  *mat.Engine
	logits  mat.Matrix
	rows    []generate.Row
	largest int // of generate.Row
}

// decoding computes the prompts of a batch.
func (l *llama135) decoding(ctx context.Context, batch int, adapted bool) (*decoding, error) {
	decoder, err := l.model.Decoder(l.requests(batch, promptTokens, adapted))
	if err != nil {
		return nil, err
	}
	d := &decoding{decoder: decoder, engine: l.model.Engine(), rows: make([]generate.Row, batch)}
	d.logits, err = decoder.Start(ctx)
	return d, err
}

// sample returns the seconds of a step, the median of a few.
func (d *decoding) sample(ctx context.Context) (float64, error) {
	var steps []float64
	for range decodeSteps {
		start := time.Now()
		for i := range d.rows {
			d.rows[i] = generate.Row{Parent: i, Token: d.engine.MaxIndex(d.logits.Row(i)), Largest: d.largest}
		}
		var err error
		if d.logits, err = d.decoder.Next(ctx, d.rows); err != nil {
			return 0, err
		}
		steps = append(steps, time.Since(start).Seconds())
	}
	return median(steps), nil
}
