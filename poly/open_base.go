package poly

import (
	"slices"

	"github.com/polytropon/polytropon/nn"
)

// A parameter is one of the base model: the path of its module, or of the one whose weight that module shares, and its name within it.
type parameter struct{ path, name string }

func parameterOf(m nn.Module, name string) parameter {
	if m.Tied != "" && name == "weight" {
		return parameter{m.Tied, name}
	}
	return parameter{m.Path, name}
}

// readBase reads the parameters of the base model that a file has besides the adapter's own and those of modules_to_save: the embeddings and the head,
// which PEFT saves where one of them is a target or the vocabulary was resized (save_embedding_layers), and opens in place of the base's. A weight that modules
// share is changed for all of them but for copies of modules_to_save, and the last one counts, as torch's load_state_dict does it.
func (a *Adapter) readBase(source Source, modules []nn.Module) error {
	layers := slices.DeleteFunc(slices.Clone(modules), func(m nn.Module) bool { return m.Layer == nil })
	changed := map[parameter]nn.Weights{}
	for _, m := range layers {
		path := keyPrefix + m.Path
		switch {
		case slices.ContainsFunc(a.layers, func(l *Layer) bool { return l.Path == m.Path }):
			path += suffixBase
		case slices.ContainsFunc(a.saved, func(s nn.Module) bool { return s.Path == m.Path }):
			path += suffixOriginal
		}
		for _, p := range m.Layer.Params() {
			if key := path + "." + p.Name; has(source, key) {
				w, err := a.read(source, key, p.Shape)
				if err != nil {
					return err
				}
				changed[parameterOf(m, p.Name)] = w
			}
		}
	}
	dropSame(changed, layers)
	a.replace(changed, layers)
	return nil
}

// dropSame leaves out the parameters that are as layers have them. As a rule all are, and then several such adapters can be added.
func dropSame(changed map[parameter]nn.Weights, layers []nn.Module) {
	for _, m := range layers {
		var values map[string]nn.Weights
		for _, p := range m.Layer.Params() {
			own := parameter{m.Path, p.Name}
			if w, ok := changed[own]; ok && parameterOf(m, p.Name) == own {
				if values == nil {
					values = m.Layer.Values()
				}
				if sameWeights(values[p.Name], w) {
					delete(changed, own)
				}
			}
		}
	}
}

// replace puts layers with the changed parameters in place of those that have them, but for copies of modules_to_save.
func (a *Adapter) replace(changed map[parameter]nn.Weights, layers []nn.Module) {
	for _, m := range layers {
		if a.replaced[m.Layer] != nil {
			continue
		}
		params := slices.DeleteFunc(m.Layer.Params(), func(p nn.ParamInfo) bool { return changed[parameterOf(m, p.Name)].Len() == 0 })
		if len(params) == 0 {
			continue
		}
		values := m.Layer.Values()
		for _, p := range params {
			values[p.Name] = changed[parameterOf(m, p.Name)]
		}
		a.replaced[m.Layer] = m.Layer.With(a.engine, values)
	}
}

// sameWeights tells whether two parameters have the same values.
func sameWeights(v, w nn.Weights) bool {
	switch {
	case v.BF16 != nil && w.BF16 != nil:
		return slices.Equal(v.BF16, w.BF16)
	case v.F16 != nil && w.F16 != nil:
		return slices.Equal(v.F16, w.F16)
	}
	return slices.Equal(v.Float32s(), w.Float32s())
}
