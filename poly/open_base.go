package poly

import (
	"slices"

	"github.com/polytropon/polytropon/nn"
)

// readBase reads the parameters of the base model that a file has besides the adapter's own and those of modules_to_save: the embeddings and the head,
// which PEFT saves where one of them is a target or the vocabulary was resized (save_embedding_layers), and opens in place of the base's.
func (a *Adapter) readBase(source Source, modules []nn.Module) error {
	for _, m := range modules {
		if m.Layer == nil || slices.ContainsFunc(a.saved, func(s nn.Module) bool { return s.Path == m.Path }) {
			continue
		}
		path := keyPrefix + m.Path
		if slices.ContainsFunc(a.layers, func(l *Layer) bool { return l.Path == m.Path }) {
			path += suffixBase
		}
		params := m.Layer.Params()
		if !slices.ContainsFunc(params, func(p nn.ParamInfo) bool { return has(source, path+"."+p.Name) }) {
			continue
		}
		values := m.Layer.Values()
		for _, p := range params {
			if key := path + "." + p.Name; has(source, key) {
				var err error
				if values[p.Name], err = a.read(source, key, p.Shape); err != nil {
					return err
				}
			}
		}
		// As a rule they are the base's, and then several such adapters can be added.
		if with := m.Layer.With(a.engine, values); !sameValues(with, m.Layer) {
			for _, layer := range tied(modules, m.Layer) {
				if a.replaced[layer] == nil { // a copy of modules_to_save counts
					a.replaced[layer] = with
				}
			}
		}
	}
	return nil
}

// sameValues tells whether two layers of one kind have the same parameters, in the same types.
func sameValues(x, y nn.Layer) bool {
	if l, ok := x.(*nn.Linear); ok {
		return l.Equal(y.(*nn.Linear))
	}
	values := y.Values()
	for name, v := range x.Values() {
		w := values[name]
		if !slices.Equal(v.F32, w.F32) || !slices.Equal(v.BF16, w.BF16) || !slices.Equal(v.F16, w.F16) {
			return false
		}
	}
	return true
}

// tied returns layer and the embeddings among modules that have their table in the same memory, as the stacks of a T5 share one: torch changes them together.
func tied(modules []nn.Module, layer nn.Layer) []nn.Layer {
	layers := []nn.Layer{layer}
	e, ok := layer.(*nn.Embedding)
	if !ok {
		return layers
	}
	table := e.Values()["weight"]
	for _, m := range modules {
		if other, ok := m.Layer.(*nn.Embedding); ok && other != e && sameMemory(other.Values()["weight"], table) {
			layers = append(layers, other)
		}
	}
	return layers
}

func sameMemory(v, w nn.Weights) bool {
	return sameStart(v.F32, w.F32) || sameStart(v.BF16, w.BF16) || sameStart(v.F16, w.F16)
}

func sameStart[T any](x, y []T) bool { return len(x) > 0 && len(y) > 0 && &x[0] == &y[0] }
