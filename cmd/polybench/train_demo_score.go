package main

import (
	"context"
	"slices"

	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/poly"
	"github.com/polytropon/polytropon/train"
)

// demoHeldOut is how many examples of a task are evaluated, which are not trained on.
const demoHeldOut = 40

// A score is what a task reaches on held-out examples.
type score struct {
	loss    float64 // the mean over all tokens of the answers
	correct float64 // the share of answers of which every token is the likeliest: those that greedy decoding gives
}

// evaluate returns the scores of all tasks with an adapter, and the logits.
func (d *demo) evaluate(ctx context.Context, a *poly.Adapter) ([]score, []float32, error) {
	var batch []model.Sequence
	var examples []train.Example
	for i := range demoHeldOut * len(toyTasks) {
		x := d.examples(true).at(i)
		shifted := append([]int{d.base.StartID()}, x.Labels[:len(x.Labels)-1]...)
		batch = append(batch, model.Sequence{InputIDs: x.InputIDs, DecoderInputIDs: shifted, Adapters: []nn.Adapter{a.Task(x.Task)}})
		examples = append(examples, x)
	}
	logits, err := d.base.Logits(ctx, batch)
	if err != nil {
		return nil, nil, err
	}
	scores := make([]score, len(toyTasks))
	for i, x := range examples {
		rows := logits.Of(i)
		loss, err := nn.CrossEntropy(d.base.Engine(), rows, x.Labels)
		if err != nil {
			return nil, nil, err
		}
		s := &scores[x.Task]
		s.loss += float64(loss) / demoHeldOut // all answers have as many tokens
		correct := true
		for j, label := range x.Labels {
			correct = correct && rows.Row(j)[label] == slices.Max(rows.Row(j))
		}
		if correct {
			s.correct += 1.0 / demoHeldOut
		}
	}
	return scores, logits.Data, nil
}

// meanLoss returns the mean of the tasks' losses.
func meanLoss(scores []score) float64 {
	sum := 0.0
	for _, s := range scores {
		sum += s.loss
	}
	return sum / float64(len(scores))
}
