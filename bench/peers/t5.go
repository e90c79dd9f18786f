package main

import (
	"context"
	"fmt"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/poly"
)

// A t5 is the forward pass of a T5 of the shape of T5-small, from the tokens to the logits, bare or with an MHR adapter in which each
// sequence has a task of its own. The PyTorch peer writes the model and the adapter, and both sides open them.
type t5 struct {
	folder, which         string
	batch, source, target int
}

func (t t5) row() row {
	return row{
		kind: "t5 " + t.which, shape: fmt.Sprintf("%dx(%d+%d)", t.batch, t.source, t.target),
		job:  fmt.Sprintf("t5 %s %s %d %d %d", t.folder, t.which, t.batch, t.source, t.target),
		work: float64(t.batch * (t.source + t.target)), unit: "tokens/s", flops: t.flops(), tolerance: 1e-4, ours: t.ours,
	}
}

// flops counts the base's products: 512 wide, 2048 in the feed-forward layers, 6 layers on each side, 32128 tokens.
func (t t5) flops() float64 {
	const d, ff, layers, vocabulary = 512, 2048, 6, 32128
	s, u := float64(t.source), float64(t.target)
	encoder := s*(4*d*d+2*d*ff) + 2*s*s*d
	decoder := u*(6*d*d+2*d*ff) + s*2*d*d + 2*u*u*d + 2*u*s*d
	return 2 * float64(t.batch) * (layers*(encoder+decoder) + u*d*vocabulary)
}

func (t t5) ours(e *mat.Engine) (func(), func() []float32, error) {
	m, err := model.Open(t.folder+"/base", e)
	if err != nil {
		return nil, nil, err
	}
	batch := make([]model.Sequence, t.batch)
	input, decoder := tokens(seedA, t.batch, t.source, m.Vocabulary()), tokens(seedB, t.batch, t.target, m.Vocabulary())
	for i := range batch {
		batch[i] = model.Sequence{InputIDs: input[i], DecoderInputIDs: decoder[i]}
	}
	if t.which == "adapter" {
		a, err := poly.Open(t.folder+"/adapter", m)
		if err != nil {
			return nil, nil, err
		}
		for i := range batch {
			batch[i].Adapters = []nn.Adapter{a.Task(i % a.Config().NTasks)}
		}
	}
	var logits model.Logits
	run := func() {
		var err error
		if logits, err = m.Logits(context.Background(), batch); err != nil {
			panic(err) // the first run would have failed
		}
	}
	return run, func() []float32 { return logits.Data }, nil
}
