package poly

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/polytropon/polytropon/internal/smallfile"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/safetensors"
)

// Names of an adapter folder's files and the prefix of its tensors' keys (PEFT's utils/constants.py, utils/save_and_load.py).
const (
	configName = "adapter_config.json"
	tensorStem = "adapter_model"
	keyPrefix  = "base_model.model."
	suffixA    = ".poly_lora_A"
	suffixB    = ".poly_lora_B"
	suffixZ    = ".poly_router.module_logits"

	// Of the path of an adapted layer, and of a module of modules_to_save, where the base's own parameters are meant.
	suffixBase     = ".base_layer"
	suffixOriginal = ".original_module"
)

// Open opens the folder dir that PEFT wrote: adapter_config.json and adapter_model.safetensors. What the config asks for is checked against
// base's modules, and every tensor that it implies must be there with the right shape. Parameters of base itself that the folder has besides, embeddings
// that were resized or trained say (PEFT's save_embedding_layers), are used in place of base's by the sequences that use the adapter. Errors name the
// folder and the file, the tensor or the field ([*ConfigError], [*PatternError]); they wrap [fs.ErrNotExist] where a file is not there.
func Open(dir string, base Base) (*Adapter, error) {
	a, err := OpenFS(os.DirFS(dir), base)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return a, nil
}

// OpenFS is Open for a folder in any file system.
func OpenFS(fsys fs.FS, base Base) (*Adapter, error) {
	config, f, err := openFolder(fsys)
	if err != nil {
		return nil, err
	}
	a, err := New(config, base, f)
	return a, errors.Join(err, f.Close())
}

// openFolder reads the config and opens the tensors of a folder.
func openFolder(fsys fs.FS) (*Config, *safetensors.File, error) {
	data, err := smallfile.Read(fsys, configName, maxConfig)
	if err != nil {
		return nil, nil, fmt.Errorf("poly: %w", err)
	}
	config, err := ParseConfig(data)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", configName, err)
	}
	f, err := safetensors.OpenFolder(fsys, tensorStem)
	if err != nil {
		return nil, nil, fmt.Errorf("poly: %w", err)
	}
	return config, f, nil
}

// maxConfig bounds what is read of an adapter_config.json. PEFT's have a few hundred bytes, and as many more as there are names in them.
const maxConfig = 1 << 22

// A Source is where an adapter's tensors come from, under PEFT's keys: a *safetensors.File, for one.
type Source interface {
	// Names lists the tensors that there are.
	Names() []string
	// Info describes a tensor.
	Info(name string) (safetensors.Info, bool)
	// Tensor reads a tensor. Its Data need not outlast the next call.
	Tensor(name string) (safetensors.Tensor, error)
	// Metadata returns the metadata that is saved with the tensors.
	Metadata() map[string]string
}

// New makes the adapter that config describes for base, with copies of source's tensors. It keeps config. It is an error, which names the field
// ([*ConfigError], [*PatternError]) or the tensor, where config is not valid or does not fit base, and where source lacks a tensor or has one of another shape
// or of a type that is none of [nn.WeightsOf].
func New(config *Config, base Base, source Source) (*Adapter, error) {
	a, _, err := newAdapter(config, base)
	if err != nil {
		return nil, err
	}
	a.metadata = maps.Clone(source.Metadata())
	for _, l := range a.layers {
		if err := a.readLayer(source, l); err != nil {
			return nil, err
		}
	}
	for _, m := range a.saved {
		if err := a.readSaved(source, m); err != nil {
			return nil, err
		}
	}
	if err := a.readBase(source, base.Modules()); err != nil {
		return nil, err
	}
	a.strangers = a.unclaimed(source)
	return a, nil
}

// newAdapter returns the adapter that config describes for base, without values, and what PEFT saves as target_modules.
func newAdapter(config *Config, base Base) (*Adapter, Modules, error) {
	if err := config.Validate(); err != nil {
		return nil, Modules{}, err
	}
	modules := base.Modules()
	match, err := config.Targets(modules, base.Type())
	if err != nil {
		return nil, Modules{}, err
	}
	saved, err := config.SavedModules(modules)
	if err != nil {
		return nil, Modules{}, err
	}
	a := &Adapter{config: config, engine: base.Engine(), replaced: map[nn.Layer]nn.Layer{}}
	for _, m := range modules {
		switch {
		case slices.Contains(match.Adapted, m.Path):
			l, err := newLayer(config, m.Path, m.Layer.(*nn.Linear))
			if err != nil {
				return nil, Modules{}, err
			}
			a.layers = append(a.layers, l)
		case m.Layer != nil && isWithin(m.Path, saved):
			a.saved = append(a.saved, m)
		}
	}
	return a, match.TargetModules, nil
}

// readLayer reads the bank and the router of an adapted layer.
func (a *Adapter) readLayer(source Source, l *Layer) error {
	for _, t := range l.tensors() {
		w, err := a.read(source, t.key, t.shape)
		if err != nil {
			return err
		}
		*t.values = w.Float32s()
	}
	return nil
}

func has(source Source, key string) bool {
	_, ok := source.Info(key)
	return ok
}

// readSaved reads the parameters of a layer that is saved whole.
func (a *Adapter) readSaved(source Source, m nn.Module) error {
	values := map[string]nn.Weights{}
	for _, p := range m.Layer.Params() {
		w, err := a.read(source, savedKey(m, p), p.Shape)
		if err != nil {
			return err
		}
		values[p.Name] = w
	}
	a.replaced[m.Layer] = m.Layer.With(a.engine, values)
	return nil
}

// savedKey is the key of a parameter of a module that is saved whole.
func savedKey(m nn.Module, p nn.ParamInfo) string { return keyPrefix + m.Path + "." + p.Name }

// read reads a tensor that must be there with the given shape, and keeps a copy.
func (a *Adapter) read(source Source, key string, shape []int) (nn.Weights, error) {
	info, ok := source.Info(key)
	if !ok {
		return nn.Weights{}, fmt.Errorf("poly: tensor %s is missing, want shape %v", key, shape)
	}
	if !slices.Equal(info.Shape, shape) {
		return nn.Weights{}, fmt.Errorf("poly: tensor %s: got shape %v, want %v", key, info.Shape, shape)
	}
	t, err := source.Tensor(key)
	if err != nil {
		return nn.Weights{}, fmt.Errorf("poly: %w", err)
	}
	t.Data = bytes.Clone(t.Data)
	a.tensors = append(a.tensors, t)
	return nn.WeightsOf(t)
}

// unclaimed returns the tensors of source that a did not take, sorted.
func (a *Adapter) unclaimed(source Source) []string {
	own := map[string]bool{}
	for _, t := range a.tensors {
		own[t.Name] = true
	}
	var rest []string
	for _, name := range source.Names() {
		if !own[name] {
			rest = append(rest, name)
		}
	}
	slices.Sort(rest)
	return rest
}
