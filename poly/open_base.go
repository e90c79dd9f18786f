package poly

import (
	"slices"

	"github.com/polytropon/polytropon/nn"
)

// readBase reads the parameters of the base model that a file has besides the adapter's own and those of modules_to_save: the embeddings and the head,
// which PEFT saves where one of them is a target or the vocabulary was resized (save_embedding_layers), and opens in place of the base's. A weight that modules
// share is changed for all of them but for copies of modules_to_save, and the last one counts, as torch's load_state_dict does it.
func (a *Adapter) readBase(source Source, modules []nn.Module) error {
	type parameter struct{ path, name string }
	changed := map[parameter]nn.Weights{}
	named := func(m nn.Module, name string) parameter {
		if m.Tied != "" && name == "weight" {
			return parameter{m.Tied, name}
		}
		return parameter{m.Path, name}
	}
	for _, m := range modules {
		if m.Layer == nil {
			continue
		}
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
				changed[named(m, p.Name)] = w
			}
		}
	}
	for _, m := range modules {
		if m.Layer == nil || a.replaced[m.Layer] != nil {
			continue
		}
		params := slices.DeleteFunc(m.Layer.Params(), func(p nn.ParamInfo) bool { return changed[named(m, p.Name)].Len() == 0 })
		if len(params) == 0 {
			continue
		}
		values := m.Layer.Values()
		for _, p := range params {
			values[p.Name] = changed[named(m, p.Name)]
		}
		// As a rule they are the base's, and then several such adapters can be added.
		if with := m.Layer.With(a.engine, values); !sameValues(with, m.Layer) {
			a.replaced[m.Layer] = with
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
