package model

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/polytropon/polytropon/nn"
)

// namedModules returns what testdata/modules.txt, an indented tree for each model, says of torch's named_modules: "path class".
func namedModules(t *testing.T) map[string][]string {
	text, err := os.ReadFile("testdata/modules.txt")
	if err != nil {
		t.Fatal(err)
	}
	lists, model := map[string][]string{}, ""
	var path []string
	for line := range strings.Lines(string(text)) {
		name, class, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			model = name
			continue
		}
		depth := len(line) - len(strings.TrimLeft(line, " "))
		path = append(path[:depth-1], name)
		lists[model] = append(lists[model], strings.Join(path, ".")+" "+class)
	}
	return lists
}

func TestModulesAreTorchs(t *testing.T) {
	e := engine(t)
	lists := namedModules(t)
	for name, c := range references(t) {
		m := c.Config.open(t, e)
		var got []string
		for _, module := range m.Modules() {
			got = append(got, module.Path+" "+module.Type)
			if module.Output != (module.Path == "lm_head") {
				t.Errorf("%s: %s: Output %t", name, module.Path, module.Output)
			}
			has := module.Layer != nil && !reflect.ValueOf(module.Layer).IsNil()
			if has != (module.Type == "Linear" || module.Type == "Embedding" || strings.HasSuffix(module.Type, "LayerNorm")) {
				t.Errorf("%s: %s %s: layer %v", name, module.Path, module.Type, module.Layer)
			}
		}
		want := lists[name]
		if len(got) != len(want) {
			t.Errorf("%s: %d modules, want %d", name, len(got), len(want))
		}
		for i := range min(len(got), len(want)) {
			if got[i] != want[i] {
				t.Fatalf("%s: module %d: got %s, want %s", name, i, got[i], want[i])
			}
		}
	}
}

// TestModulesHaveTheTensorsShapes checks that path and parameter name a tensor, and that all tensors are named.
func TestModulesHaveTheTensorsShapes(t *testing.T) {
	e := engine(t)
	for name, c := range references(t) {
		f := c.Config
		s := f.source(f32)
		for _, module := range f.open(t, e).Modules() {
			if module.Layer == nil || module.Path == "lm_head" || strings.HasSuffix(module.Path, "embed_tokens") {
				continue
			}
			for _, p := range module.Layer.Params() {
				key := module.Path + "." + p.Name
				if info, ok := s.Info(key); !ok || !slices.Equal(info.Shape, p.Shape) {
					t.Errorf("%s: %s: %v, tensor %v, %t", name, key, p.Shape, info.Shape, ok)
				}
				delete(s, key)
			}
		}
		if len(s) > 0 {
			t.Errorf("%s: no module has %v", name, s.Names())
		}
	}
}

func TestModulesShareNoLayer(t *testing.T) {
	seen := map[nn.Layer]string{}
	for _, module := range small.open(t, engine(t)).Modules() {
		if module.Layer == nil {
			continue
		}
		if first, ok := seen[module.Layer]; ok {
			t.Errorf("%s is %s: an adapter could not tell them apart", module.Path, first)
		}
		seen[module.Layer] = module.Path
	}
}
