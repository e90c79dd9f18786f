package main

import (
	"context"
	"fmt"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/optim"
	"github.com/polytropon/polytropon/poly"
)

// A t5Train is a training step of the adapter of a t5: forward, backward and an update by Adam. The weights of the skills are found as in
// eval mode, so that both sides compute the same; dropout is off.
type t5Train struct{ t5 }

func (t t5Train) row() row {
	r := t.t5.row()
	r.kind, r.job = "t5 train", fmt.Sprintf("t5-train %s %d %d %d", t.folder, t.batch, t.source, t.target)
	r.flops, r.tolerance, r.ours = 0, 1e-3, t.ours
	return r
}

func (t t5Train) ours(e *mat.Engine) (func(), func() []float32, error) {
	m, err := model.Open(t.folder+"/base", e)
	if err != nil {
		return nil, nil, err
	}
	a, err := poly.Open(t.folder+"/adapter", m)
	if err != nil {
		return nil, nil, err
	}
	trainer, err := poly.NewTrainer(a, nil)
	if err != nil {
		return nil, nil, err
	}
	adam, err := optim.NewAdam([]optim.Group{{Params: trainer.Params(), LR: 1e-3}}, optim.DefaultAdam())
	if err != nil {
		return nil, nil, err
	}
	batch, labels, tasks := make([]model.Sequence, t.batch), []int{}, make([]int, t.batch)
	input, target := tokens(seedA, t.batch, t.source, m.Vocabulary()), tokens(seedB, t.batch, t.target, m.Vocabulary())
	for i := range batch {
		batch[i] = model.Sequence{InputIDs: input[i], DecoderInputIDs: append([]int{0}, target[i][:t.target-1]...)}
		labels = append(labels, target[i]...)
		tasks[i] = i % a.Config().NTasks
	}
	pass, tape := nn.NewPass(e), autodiff.NewTape(e)
	step := func() error {
		for _, p := range trainer.Params() {
			p.ZeroGrad()
		}
		if err := trainer.Begin(tasks, poly.Routing{}); err != nil {
			return err
		}
		pass.ResetTraining(tape, len(batch), trainer.Trained())
		loss, err := m.Loss(context.Background(), pass, batch, labels, 0)
		if err != nil {
			return err
		}
		tape.Backward(loss, 1)
		adam.Step(e, 1)
		return nil
	}
	run := func() {
		if err := step(); err != nil {
			panic(err) // the first run would have failed
		}
	}
	return run, func() []float32 { return trainer.Params()[0].Grad.Data }, nil
}
