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
	return training(e, t.folder+"/base", t.folder+"/adapter", func(vocabulary int) (batch []model.Sequence, labels []int) {
		target := tokens(seedB, t.batch, t.target, vocabulary)
		for i, ids := range tokens(seedA, t.batch, t.source, vocabulary) {
			batch = append(batch, model.Sequence{InputIDs: ids, DecoderInputIDs: append([]int{0}, target[i][:t.target-1]...)})
			labels = append(labels, target[i]...)
		}
		return batch, labels
	})
}

// A llamaTrain is the same of a llama, whose labels are its tokens.
type llamaTrain struct {
	folder        string
	batch, length int
}

func (l llamaTrain) row() row {
	return row{
		kind: "llama train", shape: fmt.Sprintf("%dx%d", l.batch, l.length),
		job:  fmt.Sprintf("llama-train %s %d %d", l.folder, l.batch, l.length),
		work: float64(l.batch * l.length), unit: "tokens/s", tolerance: 1e-3, ours: l.ours,
	}
}

func (l llamaTrain) ours(e *mat.Engine) (func(), func() []float32, error) {
	return training(e, l.folder+"/f32", l.folder+"/adapter", func(vocabulary int) (batch []model.Sequence, labels []int) {
		for _, ids := range tokens(seedA, l.batch, l.length, vocabulary) {
			batch = append(batch, model.Sequence{InputIDs: ids})
			labels = append(append(labels, ids[1:]...), nn.IgnoreIndex)
		}
		return batch, labels
	})
}

// training returns what does a training step of all of an adapter, with sequences of all tasks in turn, and what gives the gradient of its first tensor.
func training(e *mat.Engine, base, adapter string, data func(vocabulary int) ([]model.Sequence, []int)) (func(), func() []float32, error) {
	m, err := model.Open(base, e)
	if err != nil {
		return nil, nil, err
	}
	a, err := poly.Open(adapter, m)
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
	batch, labels := data(m.Vocabulary())
	tasks := make([]int, len(batch))
	for i := range tasks {
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
