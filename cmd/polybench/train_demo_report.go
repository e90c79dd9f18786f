package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/polytropon/polytropon/generate"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/poly"
)

// report prints what was trained and what an adapter, opened from where it was saved, does and uses.
func (d *demo) report(ctx context.Context, w io.Writer, opened *poly.Adapter, losses []float64, before, after []score) error {
	folder, err := poly.Inspect(os.DirFS(d.out))
	if err != nil {
		return err
	}
	answers, err := d.answers(ctx, opened)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%d tasks: a capital and a small letter are hidden among marks, the answer is both in the task's cipher\n", len(toyTasks))
	fmt.Fprintf(w, "an MHR adapter with r %d, %d skills and %d splits on %d modules of a frozen T5 with random weights: %d parameters\n",
		demoRank, demoSkills, demoSplits, len(folder.Paths), parameters(folder.Tensors))
	fmt.Fprintf(w, "%d steps of %d examples; mean loss of each tenth:", len(losses), demoMicroBatches*demoBatch)
	for _, loss := range tenths(losses) {
		fmt.Fprintf(w, " %.2f", loss)
	}
	fmt.Fprintf(w, "\nsaved to %s and opened again: the same logits, to the bit\n\n", d.out)

	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "task\tcipher\theld-out loss\tcorrect\tinput\tanswer\tright")
	for i, task := range toyTasks {
		x := d.examples(true).at(i)
		fmt.Fprintf(t, "%d\t%s\t%.2f → %.2f\t%.0f → %.0f %%\t%s\t%s\t%s\n", i, task.cipher, before[i].loss, after[i].loss,
			100*before[i].correct, 100*after[i].correct, toyText(x.InputIDs), answers[i], toyText(x.Labels[:len(x.Labels)-1]))
	}
	t.Flush()
	weights, err := folder.Weights(d.base.Engine(), "")
	if err != nil {
		return err
	}
	printWeights(w, folder.Config, weights, "")
	printSharing(w, overlaps(d.base.Engine(), opened))
	return nil
}

// tenths returns the means of ten parts of x, or of as many as it has numbers.
func tenths(x []float64) []float64 {
	n := min(10, len(x))
	means := make([]float64, n)
	for i := range means {
		part := x[i*len(x)/n : (i+1)*len(x)/n]
		for _, v := range part {
			means[i] += v / float64(len(part))
		}
	}
	return means
}

// answers returns what an adapter makes of the first held-out example of each task.
func (d *demo) answers(ctx context.Context, a *poly.Adapter) ([]string, error) {
	var requests []model.Request
	for i := range toyTasks {
		requests = append(requests, model.Request{InputIDs: d.examples(true).at(i).InputIDs, Adapters: []nn.Adapter{a.Task(i)}})
	}
	results, err := d.base.Generate(ctx, requests, generate.Greedy(4))
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(results))
	for i, r := range results {
		ids := r.IDs
		if r.Finish == generate.Stopped {
			ids = ids[:len(ids)-1]
		}
		texts[i] = printable(toyText(ids))
	}
	return texts, nil
}
