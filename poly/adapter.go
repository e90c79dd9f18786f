package poly

import (
	"fmt"
	"slices"
	"sync"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/safetensors"
)

// Base is what an adapter needs to know of the model that it adapts: a *model.Model, or any other that lists its layers by name.
type Base interface {
	// Type is the model_type of the model's config.json, or "custom"; it chooses the default target modules.
	Type() string
	// Modules lists the model's modules as torch's named_modules does.
	Modules() []nn.Module
	// Engine is what the model computes on.
	Engine() *mat.Engine
}

// An Adapter is what PEFT saves in one folder: a bank and a router for each adapted layer, copies of the modules_to_save, and sometimes of the base
// model's embeddings. It is immutable and belongs to the base model for which it was opened.
type Adapter struct {
	config    *Config
	engine    *mat.Engine
	layers    []*Layer
	saved     []nn.Module           // of the base model: those with parameters within modules_to_save
	replaced  map[nn.Layer]nn.Layer // by modules_to_save, or by parameters of the base model that the file has
	tensors   []safetensors.Tensor  // as they were read, under their keys
	metadata  map[string]string
	strangers []string
	tasks     sync.Map // from a task id to a func() *nn.Delta that computes once
}

// Config returns the adapter's config, which must not be changed.
func (a *Adapter) Config() *Config { return a.config }

// Layers returns the adapted layers in the base model's order. They must not be changed.
func (a *Adapter) Layers() []*Layer { return slices.Clone(a.layers) }

// Strangers returns the keys of tensors that were in the file and belong to nothing that the config adapts or saves, and to no parameter of the base
// model, sorted. PEFT 0.8.2 leaves another adapter's tensors in a folder.
func (a *Adapter) Strangers() []string { return slices.Clone(a.strangers) }

// Task returns the adapter as a sequence of task id uses it. Whether there is such a task is checked by the call that uses it, which then fails with
// a [*TaskError]. What a task adds is computed at its first use and kept: R·(In + Out) numbers for each layer.
func (a *Adapter) Task(id int) nn.Adapter { return task{a, id} }

type task struct {
	*Adapter
	id int
}

// Delta implements nn.Adapter.
func (t task) Delta() (*nn.Delta, error) {
	if t.id < 0 || t.id >= t.config.NTasks {
		return nil, &TaskError{t.id, t.config.NTasks}
	}
	d, ok := t.tasks.Load(t.id)
	if !ok {
		d, _ = t.tasks.LoadOrStore(t.id, sync.OnceValue(func() *nn.Delta { return t.collapse(t.id) }))
	}
	return d.(func() *nn.Delta)(), nil
}

// A TaskError says that a task id does not exist.
type TaskError struct{ ID, Tasks int }

// Error returns one line.
func (e *TaskError) Error() string {
	return fmt.Sprintf("poly: task id: got %d, want 0 ≤ id < %d (n_tasks)", e.ID, e.Tasks)
}

// collapse mixes the skills of every layer for a task.
func (a *Adapter) collapse(task int) *nn.Delta {
	d := &nn.Delta{LowRank: make(map[*nn.Linear]nn.LowRank, len(a.layers)), Replaced: a.replaced}
	for _, l := range a.layers {
		d.LowRank[l.linear] = l.lowRank(a.engine, task)
	}
	return d
}
