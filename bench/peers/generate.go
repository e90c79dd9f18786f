package main

import (
	"context"
	"fmt"

	"github.com/polytropon/polytropon/generate"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/poly"
)

// exactly returns the settings of so many new tokens, each the likeliest, each by a step of its own: models of random numbers repeat themselves more
// than texts do, so that drafts would be right more often than they are.
func exactly(n int) generate.Settings {
	s := generate.Greedy(n)
	s.StopIDs = []int{} // none
	s.NoDrafts = true
	return s
}

// A t5Generate is greedy generation with a t5, of target tokens.
type t5Generate struct{ t5 }

func (t t5Generate) row() row {
	return row{
		kind: "t5 generate", shape: fmt.Sprintf("%dx(%d+%d)", t.batch, t.source, t.target),
		job:  fmt.Sprintf("t5-generate %s %s %d %d %d", t.folder, t.which, t.batch, t.source, t.target),
		work: float64(t.batch * t.target), unit: "tokens/s", tolerance: 1e-4, ours: t.ours,
	}
}

func (t t5Generate) ours(e *mat.Engine) (func(), func() []float32, error) {
	m, adapters, err := openAdapted(t.folder+"/base", t.folder+"/adapter", t.batch, e)
	if err != nil {
		return nil, nil, err
	}
	requests, first := make([]model.Request, t.batch), make([]model.Sequence, t.batch)
	for i, ids := range tokens(seedA, t.batch, t.source, m.Vocabulary()) {
		requests[i] = model.Request{InputIDs: ids, Adapters: adapters[i]}
		first[i] = model.Sequence{InputIDs: ids, DecoderInputIDs: []int{0}, Adapters: adapters[i]}
	}
	run, result := generation(m, requests, first, t.target)
	return run, result, nil
}

// openAdapted opens a model and gives each of n sequences a task of its own of the adapter; without a folder of one, none.
func openAdapted(base, adapter string, n int, e *mat.Engine) (*model.Model, [][]nn.Adapter, error) {
	m, err := model.Open(base, e)
	if err != nil {
		return nil, nil, err
	}
	adapters := make([][]nn.Adapter, n)
	if adapter == "" {
		return m, adapters, nil
	}
	a, err := poly.Open(adapter, m)
	if err != nil {
		return nil, nil, err
	}
	for i := range adapters {
		adapters[i] = []nn.Adapter{a.Task(i % a.Config().NTasks)}
	}
	return m, adapters, nil
}

// generation returns what generates n tokens for every request, and what gives the logits from which the first ones are chosen.
func generation(m *model.Model, requests []model.Request, first []model.Sequence, n int) (run func(), result func() []float32) {
	run = func() {
		if _, err := m.Generate(context.Background(), requests, exactly(n)); err != nil {
			panic(err)
		}
	}
	return run, func() []float32 {
		logits, err := m.Logits(context.Background(), first)
		if err != nil {
			panic(err)
		}
		var last []float32
		for i := range first {
			l := logits.Of(i)
			last = append(last, l.Row(l.Rows-1)...)
		}
		return last
	}
}

// A llama is greedy generation with a Llama of the shape of SmolLM2-135M, one sequence, of one token after a long prompt or of many after a short one. A
// peer writes the model and the adapter.
type llama struct {
	folder, which, storage string
	prompt, new            int
}

func (l llama) row() row {
	r := row{
		kind: "llama decode " + l.storage, shape: fmt.Sprintf("%s 1x(%d+%d)", l.which, l.prompt, l.new),
		job:  fmt.Sprintf("llama %s %s %s 1 %d %d", l.folder, l.which, l.storage, l.prompt, l.new),
		work: float64(l.new), unit: "tokens/s", tolerance: 1e-3, ours: l.ours,
	}
	if l.new == 1 {
		r.kind, r.work = "llama prefill "+l.storage, float64(l.prompt)
	}
	if l.storage == "bf16" {
		r.tolerance = 0.1 // peers round what flows between the layers to bfloat16 as well
	}
	return r
}

func (l llama) ours(e *mat.Engine) (func(), func() []float32, error) {
	adapter := ""
	if l.which == "adapter" {
		adapter = l.folder + "/adapter"
	}
	m, adapters, err := openAdapted(l.folder+"/"+l.storage, adapter, 1, e)
	if err != nil {
		return nil, nil, err
	}
	ids := tokens(seedA, 1, l.prompt, m.Vocabulary())[0]
	run, result := generation(m, []model.Request{{InputIDs: ids, Adapters: adapters[0]}}, []model.Sequence{{InputIDs: ids, Adapters: adapters[0]}}, l.new)
	return run, result, nil
}
