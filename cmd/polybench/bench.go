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
	if err := parse(flags, args, 0); err != nil {
		return err
	}
	e, err := mat.NewEngine(*options)
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
	sub := func(name string) fs.FS {
		f, _ := fs.Sub(dir, name)
		return f
	}
	c := folders{model: sub("base"), adapter: sub("adapter"), second: sub("second"), reference: dir, file: "reference.safetensors"}
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
	batch := 8
	if e.Level() == "generic" {
		batch = 1 // the portable code is some hundred times slower
	}
	s, err := newSmall(e)
	if err != nil {
		return err
	}
	bare, adapted := s.batch(batch, false), s.batch(batch, true)
	var bases, ratios, adapters []float64
	deadline := time.Now().Add(12 * time.Second)
	for round := 0; round < 2 || time.Now().Before(deadline); round++ {
		progress.step(fmt.Sprintf("measuring, round %d", round+1))
		base, err := s.time(ctx, bare)
		if err != nil {
			return err
		}
		adapter, err := s.time(ctx, adapted)
		if err != nil {
			return err
		}
		if round == 0 {
			continue // memory is new
		}
		bases, adapters, ratios = append(bases, base), append(adapters, adapter), append(ratios, adapter/base)
	}
	progress.done()
	tokens := float64(batch * (sourceTokens + targetTokens))
	fmt.Fprintf(w, "T5-small shape, %d × (%d + %d) tokens, forward, MHR r %d, %d skills, %d splits on q and v, %d tasks mixed\n",
		batch, sourceTokens, targetTokens, smallRank, smallSkills, smallSplits, smallTasks)
	fmt.Fprintf(w, "bare base     %8.0f tokens/s\n", tokens/median(bases))
	fmt.Fprintf(w, "with adapter  %8.0f tokens/s\n", tokens/median(adapters))
	fmt.Fprintf(w, "overhead      %8.1f %%  (median of %d pairs)\n", 100*(median(ratios)-1), len(ratios))
	return nil
}

// time returns the seconds of one forward pass.
func (s *small) time(ctx context.Context, batch []model.Sequence) (float64, error) {
	start := time.Now()
	_, err := s.model.Logits(ctx, batch)
	return time.Since(start).Seconds(), err
}
