package poly

import (
	"fmt"
	"maps"
	"slices"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/safetensors"
)

// A Trainer trains an adapter: it holds the adapter's tensors as parameters in float32, and what a pass with a tape needs of them. It belongs
// to one goroutine at a time. A step is
//
//	trainer.Begin(tasks, routing)
//	pass.ResetTraining(tape, len(tasks), trainer.Trained())
//	… the base model's forward pass and a loss, which trainer.Prior may add to …
//	tape.Backward(loss, 1)
//	optimizer.Step(engine, factor)
//	… ZeroGrad of each of trainer.Params() …
type Trainer struct {
	from    *Adapter
	layers  []*trainedLayer
	saved   []savedParam
	params  []*autodiff.Param
	trained nn.Trained

	tasks    []int
	routing  Routing
	products []mat.MatrixProduct // scratch memory
	usages   []usage             // of Prior
}

// A savedParam is a parameter of a module that is saved whole.
type savedParam struct {
	module nn.Module
	name   string // within the module
	param  *autodiff.Param
}

// NewTrainer returns a trainer that starts from a, which it does not change. train chooses what is trained by key, as a file has it, a module
// of modules_to_save as a whole; nil trains everything. (To train nothing but the keys that end with ".poly_router.module_logits" is MHR-z.) It is an
// error to choose nothing.
func NewTrainer(a *Adapter, train func(key string) bool) (*Trainer, error) {
	t := newTrainer(a, train, func(key string, shape []int, start func() []float32) *autodiff.Param {
		return autodiff.NewParam(key, shape, slices.Clone(start()))
	})
	if len(t.params) == 0 {
		return nil, fmt.Errorf("poly: trainer: got none of %d tensors to train, want at least one", len(a.tensors))
	}
	return t, nil
}

// newTrainer makes a trainer with the parameters that param returns; start gives the values that an adapter has.
func newTrainer(a *Adapter, train func(key string) bool, param func(key string, shape []int, start func() []float32) *autodiff.Param) *Trainer {
	if train == nil {
		train = func(string) bool { return true }
	}
	t := &Trainer{from: a, trained: nn.Trained{Added: map[*nn.Linear]nn.Added{}, Replaced: maps.Clone(a.replaced)}}
	for _, l := range a.layers {
		layer := &trainedLayer{trainer: t, layer: l}
		for i, x := range l.tensors() {
			if !train(x.key) {
				cols := max(1, x.shape[len(x.shape)-1])
				layer.operands[i] = operand{value: mat.View(*x.values, len(*x.values)/cols, cols)}
				continue
			}
			p := param(x.key, x.shape, func() []float32 { return *x.values })
			layer.operands[i] = operand{p.Value, p}
			t.params = append(t.params, p)
		}
		t.layers = append(t.layers, layer)
		t.trained.Added[l.linear] = layer
	}
	for _, m := range a.saved {
		if !slices.ContainsFunc(m.Layer.Params(), func(p nn.ParamInfo) bool { return train(savedKey(m, p)) }) {
			continue
		}
		params := map[string]*autodiff.Param{}
		for _, x := range m.Layer.Params() {
			p := param(savedKey(m, x), x.Shape, func() []float32 { return a.replaced[m.Layer].Values()[x.Name].Float32s() })
			params[x.Name] = p
			t.params = append(t.params, p)
			t.saved = append(t.saved, savedParam{m, x.Name, p})
		}
		t.trained.Replaced[m.Layer] = a.replaced[m.Layer].WithParams(params)
	}
	return t
}

// Replica returns a trainer of the same parameters, in the same memory, that has gradients of its own: for another goroutine, while no optimiser changes
// the parameters.
func (t *Trainer) Replica() *Trainer {
	own := map[string]*autodiff.Param{}
	for _, p := range t.params {
		own[p.Name] = p
	}
	train := func(key string) bool { return own[key] != nil }
	return newTrainer(t.from, train, func(key string, shape []int, _ func() []float32) *autodiff.Param {
		return autodiff.NewParam(key, shape, own[key].Value.Data)
	})
}

// Params returns what is trained: the tensors of the adapted layers in the base model's order, of each A, B and the logits, then the parameters of
// modules_to_save. Their names are the keys of adapter_model.safetensors.
func (t *Trainer) Params() []*autodiff.Param { return slices.Clone(t.params) }

// Routing returns those of Params that are routers' logits: the recipe gives them a rate of their own and no weight decay.
func (t *Trainer) Routing() []*autodiff.Param {
	var routing []*autodiff.Param
	for _, l := range t.layers {
		if p := l.operands[ofZ].param; p != nil {
			routing = append(routing, p)
		}
	}
	return routing
}

// Skills returns those of Params that are not routers' logits.
func (t *Trainer) Skills() []*autodiff.Param {
	routing := t.Routing()
	return slices.DeleteFunc(t.Params(), func(p *autodiff.Param) bool { return slices.Contains(routing, p) })
}

// Begin says what the next passes are: sequence i has the task tasks[i], which is kept, and its weights are found by r. The draws of r are made now, for
// all layers in the base model's order, and serve every pass until the next Begin. A task that does not exist is a [*TaskError].
func (t *Trainer) Begin(tasks []int, r Routing) error {
	if err := r.check(); err != nil {
		return err
	}
	for i, task := range tasks {
		if task < 0 || task >= t.from.config.NTasks {
			return fmt.Errorf("poly: sequence %d: %w", i, &TaskError{task, t.from.config.NTasks})
		}
	}
	t.tasks, t.routing = tasks, r
	if r.Relaxation != RelaxedBernoulli {
		return nil
	}
	for _, l := range t.layers {
		if err := l.draw(len(tasks), r.Uniforms); err != nil {
			return fmt.Errorf("poly: draws for %s: %w", l.layer.Path, err)
		}
	}
	return nil
}

// Trained returns what passes use.
func (t *Trainer) Trained() *nn.Trained { return &t.trained }

// Adapter returns an adapter with a copy of the present values: what is trained and all banks and routers in float32, the rest as it was.
func (t *Trainer) Adapter() *Adapter {
	from := t.from
	a := &Adapter{config: from.config, engine: from.engine, saved: from.saved, replaced: maps.Clone(from.replaced), metadata: from.metadata}
	now := map[string]safetensors.Tensor{}
	keep := func(key string, shape []int, values []float32) []float32 {
		values = slices.Clone(values)
		now[key] = safetensors.NewFloat32s(key, shape, values)
		return values
	}
	for _, l := range t.layers {
		layer := *l.layer
		for i, x := range layer.tensors() {
			*x.values = keep(x.key, x.shape, l.operands[i].value.Data)
		}
		a.layers = append(a.layers, &layer)
	}
	values := map[nn.Layer]map[string]nn.Weights{}
	for _, s := range t.saved {
		if values[s.module.Layer] == nil {
			values[s.module.Layer] = map[string]nn.Weights{}
		}
		values[s.module.Layer][s.name] = nn.Weights{F32: keep(s.param.Name, s.param.Shape, s.param.Value.Data)}
	}
	for layer, v := range values {
		a.replaced[layer] = layer.With(a.engine, v)
	}
	for _, x := range from.tensors {
		if changed, ok := now[x.Name]; ok {
			x = changed
		}
		a.tensors = append(a.tensors, x)
	}
	return a
}
