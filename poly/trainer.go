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
//	… the base model's forward pass and a loss …
//	tape.Backward(loss, 1)
//	optimizer.Step(engine, factor)
type Trainer struct {
	from    *Adapter
	layers  []*trainedLayer
	saved   []savedParam
	params  []*autodiff.Param
	trained nn.Trained

	tasks    []int
	routing  Routing
	products []mat.MatrixProduct
}

// A savedParam is a parameter of a module that is saved whole.
type savedParam struct {
	module nn.Module
	name   string // within the module
	param  *autodiff.Param
}

// NewTrainer returns a trainer that starts from a, which it does not change. train chooses what is trained by key, as a file has it, a module
// of modules_to_save as a whole; nil trains everything. (Training nothing but ….poly_router.module_logits is MHR-z.)
func NewTrainer(a *Adapter, train func(key string) bool) (*Trainer, error) {
	values := map[string][]float32{}
	for _, t := range a.tensors {
		w, err := nn.WeightsOf(t)
		if err != nil {
			return nil, err
		}
		values[t.Name] = slices.Clone(w.Float32s())
	}
	return newTrainer(a, train, func(key string, shape []int) *autodiff.Param {
		return autodiff.NewParam(key, shape, values[key])
	}), nil
}

// newTrainer makes a trainer with the parameters that of returns.
func newTrainer(a *Adapter, train func(key string) bool, of func(key string, shape []int) *autodiff.Param) *Trainer {
	if train == nil {
		train = func(string) bool { return true }
	}
	t := &Trainer{from: a, trained: nn.Trained{Added: map[*nn.Linear]nn.Added{}, Replaced: maps.Clone(a.replaced)}}
	for _, l := range a.layers {
		layer := &trainedLayer{trainer: t, layer: l}
		for i, part := range []struct {
			suffix string
			shape  []int
			to     **autodiff.Param
		}{{suffixA, l.Bank.shapeA(), &layer.a}, {suffixB, l.Bank.shapeB(), &layer.b}, {suffixZ, l.Router.shape(), &layer.z}} {
			*part.to = of(keyPrefix+l.Path+part.suffix, part.shape)
			if layer.frozen[i] = !train((*part.to).Name); !layer.frozen[i] {
				t.params = append(t.params, *part.to)
			}
		}
		t.layers = append(t.layers, layer)
		t.trained.Added[l.linear] = layer
	}
	for _, m := range a.saved {
		key := func(p nn.Param) string { return keyPrefix + m.Path + "." + p.Name }
		if !slices.ContainsFunc(m.Layer.Params(), func(p nn.Param) bool { return train(key(p)) }) {
			continue
		}
		params := map[string]*autodiff.Param{}
		for _, p := range m.Layer.Params() {
			params[p.Name] = of(key(p), p.Shape)
			t.params = append(t.params, params[p.Name])
			t.saved = append(t.saved, savedParam{m, p.Name, params[p.Name]})
		}
		t.trained.Replaced[m.Layer] = a.replaced[m.Layer].WithParams(params)
	}
	return t
}

// Replica returns a trainer of the same parameters that has gradients of its own: for another goroutine, while no optimiser changes the
// parameters.
func (t *Trainer) Replica() *Trainer {
	shared := map[string]*autodiff.Param{}
	for _, l := range t.layers {
		for _, p := range []*autodiff.Param{l.a, l.b, l.z} {
			shared[p.Name] = p
		}
	}
	for _, s := range t.saved {
		shared[s.param.Name] = s.param
	}
	own := map[string]bool{}
	for _, p := range t.params {
		own[p.Name] = true
	}
	train := func(key string) bool { return own[key] }
	return newTrainer(t.from, train, func(key string, shape []int) *autodiff.Param {
		return autodiff.NewParam(key, shape, shared[key].Value.Data)
	})
}

// Params returns what is trained, in the order of the base model's modules. Names are the keys of adapter_model.safetensors.
func (t *Trainer) Params() []*autodiff.Param { return slices.Clone(t.params) }

// Routing returns those of Params that are routers' logits: the recipe gives them a rate of their own and no weight decay.
func (t *Trainer) Routing() []*autodiff.Param {
	var routing []*autodiff.Param
	for _, l := range t.layers {
		if !l.frozen[2] {
			routing = append(routing, l.z)
		}
	}
	return routing
}

// Skills returns those of Params that are not routers' logits.
func (t *Trainer) Skills() []*autodiff.Param {
	routing := t.Routing()
	return slices.DeleteFunc(t.Params(), func(p *autodiff.Param) bool { return slices.Contains(routing, p) })
}

// Begin says what the next passes are: sequence i has the task tasks[i], which is kept, and its weights are found by r, whose draws are made now. A task that
// does not exist is a [*TaskError].
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
		n := len(tasks) * l.z.Value.Cols
		l.memory = slices.Grow(l.memory[:0], n)[:n]
		l.draws = mat.View(l.memory, len(tasks), l.z.Value.Cols)
		if err := r.Uniforms.Draw(l.layer.Path, l.draws); err != nil {
			return fmt.Errorf("poly: draws for %s: %w", l.layer.Path, err)
		}
	}
	return nil
}

// Trained returns what passes use.
func (t *Trainer) Trained() *nn.Trained { return &t.trained }

// Adapter returns an adapter with a copy of the present values, in float32.
func (t *Trainer) Adapter() *Adapter {
	a := &Adapter{config: t.from.config, engine: t.from.engine, saved: t.from.saved, replaced: maps.Clone(t.from.replaced), metadata: t.from.metadata}
	tensors := map[string]safetensors.Tensor{}
	keep := func(p *autodiff.Param) []float32 {
		values := slices.Clone(p.Value.Data)
		tensors[p.Name] = safetensors.NewFloat32s(p.Name, p.Shape, values)
		return values
	}
	for _, l := range t.layers {
		layer := *l.layer
		layer.Bank.A, layer.Bank.B, layer.Router.Logits = keep(l.a), keep(l.b), keep(l.z)
		a.layers = append(a.layers, &layer)
	}
	for _, m := range t.from.saved {
		values := map[string]nn.Weights{}
		for _, s := range t.saved {
			if s.module.Path == m.Path {
				values[s.name] = nn.Weights{F32: keep(s.param)}
			}
		}
		if len(values) > 0 {
			a.replaced[m.Layer] = m.Layer.With(a.engine, values)
		}
	}
	for _, old := range t.from.tensors {
		if now, ok := tensors[old.Name]; ok {
			old = now
		}
		a.tensors = append(a.tensors, old)
	}
	return a
}
