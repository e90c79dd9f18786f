package main

import (
	"context"
	"embed"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"slices"
	"time"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
)

// example is a T5 with an MHR adapter and what PEFT computed from them.
//
//go:embed testdata/t5-mhr
var example embed.FS

// bench verifies the embedded example and then measures a T5-small shape.
func bench(ctx context.Context, args []string, w io.Writer) error {
	flags := flag.NewFlagSet("polybench", flag.ContinueOnError)
	options := engineFlags(flags)
	if err := parse(flags, args, 1); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return usageError(fmt.Sprintf("unexpected argument %q; a command stands before its flags", flags.Arg(0)))
	}
	e, err := newEngine(options)
	if err != nil {
		return err
	}
	defer e.Close()
	rows, cols := e.Tile()
	fmt.Fprintf(w, "%s/%s, level %s, tile %d×%d, %d threads\n\n", runtime.GOOS, runtime.GOARCH, e.Level(), rows, cols, e.Threads())
	if err := verifyExample(ctx, w, e); err != nil {
		return err
	}
	return measure(ctx, w, e)
}

func verifyExample(ctx context.Context, w io.Writer, e *mat.Engine) error {
	dir, err := fs.Sub(example, "testdata/t5-mhr")
	if err != nil {
		return err
	}
	sub := func(name string) folder {
		f, _ := fs.Sub(dir, name)
		return folder{f, name}
	}
	c := folders{model: sub("base"), adapter: sub("adapter"), second: sub("second"), reference: sub("."), file: "reference.safetensors"}
	checks, err := c.verify(ctx, e)
	if err != nil {
		return fmt.Errorf("the embedded example: %w", err)
	}
	checks = slices.DeleteFunc(checks, func(c check) bool { return c.OK == nil })
	printChecks(w, checks)
	var worst float64
	for _, c := range checks {
		worst = max(worst, float64(c.MaxAbs))
	}
	s := summarize(checks)
	fmt.Fprintf(w, "the embedded T5 with an MHR adapter against PEFT: %s, largest difference %.3g\n\n", s.Result, worst)
	if s.Failed > 0 {
		return errFailed
	}
	return nil
}

// measure times a T5-small shape with and without an adapter, in turn.
func measure(ctx context.Context, w io.Writer, e *mat.Engine) error {
	progress := newProgress()
	defer progress.done()
	progress.step("making the weights of a T5-small shape")
	s, err := newSmall(e)
	if err != nil {
		return err
	}
	size := batchSize{8, 128, 32}
	if e.Level() == "generic" {
		size = batchSize{1, 32, 8} // the portable code is some hundred times slower
	}
	bare, adapted := s.batch(size, false), s.batch(size, true)
	var bases, ratios, adapters, shares []float64
	deadline := time.Now().Add(12 * time.Second)
	for round := 0; round < 2 || time.Now().Before(deadline); round++ {
		progress.step(fmt.Sprintf("measuring, round %d", round+1))
		peak := ceiling(e)
		base, err := s.time(ctx, bare)
		if err != nil {
			return err
		}
		peak = (peak + ceiling(e)) / 2
		adapter, err := s.time(ctx, adapted)
		if err != nil {
			return err
		}
		if round == 0 {
			continue // memory is new
		}
		bases, adapters, ratios = append(bases, base), append(adapters, adapter), append(ratios, adapter/base)
		shares = append(shares, size.flops()/base/1e9/peak)
	}
	progress.done()
	tokens := float64(size.sequences * (size.source + size.target))
	fmt.Fprintf(w, "T5-small shape, %d × (%d + %d) tokens, forward, MHR r %d, %d skills, %d splits on q and v, %d tasks mixed\n",
		size.sequences, size.source, size.target, smallRank, smallSkills, smallSplits, smallTasks)
	fmt.Fprintf(w, "bare base     %8.0f tokens/s", tokens/median(bases))
	if e.Level() != "generic" { // whose loop of multiply-adds is no ceiling
		fmt.Fprintf(w, ", its products at %.0f %% of the multiply-add ceiling of all threads", 100*median(shares))
	}
	fmt.Fprintln(w)
	fmt.Fprintf(w, "with adapter  %8.0f tokens/s\n", tokens/median(adapters))
	fmt.Fprintf(w, "overhead      %8.1f %%, the median of %d runs of each in turn\n", 100*(median(ratios)-1), len(ratios))
	return nil
}

// time returns the seconds of one forward pass.
func (s *small) time(ctx context.Context, batch []model.Sequence) (float64, error) {
	start := time.Now()
	_, err := s.model.Logits(ctx, batch)
	return time.Since(start).Seconds(), err
}
