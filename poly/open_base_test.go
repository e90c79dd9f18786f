package poly_test

import (
	"slices"
	"testing"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/poly"
)

// listed is a base model that is nothing but its modules.
type listed struct {
	engine  *mat.Engine
	modules []nn.Module
}

func (l listed) Type() string         { return "custom" }
func (l listed) Engine() *mat.Engine  { return l.engine }
func (l listed) Modules() []nn.Module { return l.modules }

// Parameters of the base model in an adapter's file take the place of its own where they differ, in every module that is tied to them.
func TestBaseParameters(t *testing.T) {
	e := newEngine(t)
	values := func(last uint16) map[string]nn.Weights {
		return map[string]nn.Weights{
			"float32":  {F32: []float32{1, 2, 3, float32(last)}},
			"bfloat16": {BF16: mat.Bits[mat.BFloat16]([]uint16{1, 2, 3, last})},
			"float16":  {F16: mat.Bits[mat.Float16]([]uint16{1, 2, 3, last})},
		}
	}
	for name, table := range values(4) {
		tokens, tied, other := nn.NewEmbedding(table, 2, 2), nn.NewEmbedding(table, 2, 2), nn.NewEmbedding(values(4)[name], 2, 2)
		dense := nn.NewLinear(e, table, 2, 2).WithBias([]float32{5, 6})
		base := listed{e, []nn.Module{{Path: "tokens", Layer: tokens}, {Path: "tied", Layer: tied, Tied: "tokens"}, {Path: "other", Layer: other}, {Path: "dense", Layer: dense}}}
		replaced := func(key string, w nn.Weights) map[nn.Layer]nn.Layer {
			config := poly.NewConfig()
			config.R, config.NSkills, config.TargetModules = 1, 1, poly.ModuleNames("dense")
			source := tensors{}
			source.add("base_model.model.dense.poly_lora_A", []int{1, 1, 2, 1}, 1, 2)
			source.add("base_model.model.dense.poly_lora_B", []int{1, 1, 1, 2}, 1, 2)
			source.add("base_model.model.dense.poly_router.module_logits", []int{1, 1}, 1)
			source["base_model.model."+key] = w.Tensor("base_model.model."+key, slices.Repeat([]int{2}, w.Len()/2))
			a, err := poly.New(config, base, source)
			if err != nil {
				t.Fatal(err)
			}
			if len(a.Strangers()) > 0 {
				t.Errorf("%s, %s: strangers %q", name, key, a.Strangers())
			}
			d, err := a.Task(0).Delta()
			if err != nil {
				t.Fatal(err)
			}
			return d.Replaced
		}
		for _, key := range []string{"tokens.weight", "dense.base_layer.weight"} {
			if r := replaced(key, values(4)[name]); len(r) > 0 {
				t.Errorf("%s, %s: got %d layers replaced by the same", name, key, len(r))
			}
		}
		for _, key := range []string{"tokens.weight", "tied.weight"} {
			if r := replaced(key, values(7)[name]); len(r) != 2 || !has(r[tokens], values(7)[name]) || !has(r[tied], values(7)[name]) {
				t.Errorf("%s, %s: got %d layers replaced by another table, want the two that share it", name, key, len(r))
			}
		}
		r := replaced("dense.base_layer.bias", nn.Weights{F32: []float32{5, 7}})
		if with := r[dense]; len(r) != 1 || !has(with, values(4)[name]) || !slices.Equal(with.Values()["bias"].F32, []float32{5, 7}) {
			t.Errorf("%s: a bias: got %v, want the layer with it", name, r)
		}
	}
}

// has tells whether a layer's weight is w.
func has(l nn.Layer, w nn.Weights) bool {
	return l != nil && slices.Equal(l.Values()["weight"].Float32s(), w.Float32s())
}

// A weight that an embedding and the head share is one parameter: what the file has of either is used for both, what comes last in torch's order counts, and a
// copy of modules_to_save is apart from it, while the module under the copy is not. The keys are those that PEFT writes and reads.
func TestTiedBaseParameters(t *testing.T) {
	e := newEngine(t)
	table := func(last float32) nn.Weights { return nn.Weights{F32: []float32{1, 2, 3, last}} }
	shared, tokens := nn.NewEmbedding(table(4), 2, 2), nn.NewEmbedding(table(4), 2, 2)
	dense, head := nn.NewLinear(e, table(4), 2, 2), nn.NewLinear(e, table(4), 2, 2)
	base := listed{e, []nn.Module{{Path: "shared", Layer: shared}, {Path: "tokens", Layer: tokens, Tied: "shared"}, {Path: "dense", Layer: dense},
		{Path: "head", Layer: head, Tied: "shared", Output: true}}}
	layers := map[string]nn.Layer{"shared": shared, "tokens": tokens, "dense": dense, "head": head}
	for _, c := range []struct {
		name, target, save string
		file               map[string]float32 // the last element of each table
		want               map[string]float32 // of what is replaced
	}{
		{"one table", "dense", "", map[string]float32{"shared.weight": 7}, map[string]float32{"shared": 7, "tokens": 7, "head": 7}},
		{"the head's", "dense", "", map[string]float32{"head.weight": 7}, map[string]float32{"shared": 7, "tokens": 7, "head": 7}},
		{"an adapted head's", "head", "", map[string]float32{"head.base_layer.weight": 7}, map[string]float32{"shared": 7, "tokens": 7, "head": 7}},
		{"the last", "dense", "", map[string]float32{"shared.weight": 7, "tokens.weight": 8}, map[string]float32{"shared": 8, "tokens": 8, "head": 8}},
		{"the last as it was", "dense", "", map[string]float32{"shared.weight": 7, "head.weight": 4}, nil},
		{"not the others'", "dense", "", map[string]float32{"dense.base_layer.weight": 7}, map[string]float32{"dense": 7}},
		{"a copy", "dense", "shared", map[string]float32{"shared.weight": 9, "head.weight": 7}, map[string]float32{"shared": 9, "tokens": 7, "head": 7}},
		{"under the copy", "dense", "shared", map[string]float32{"shared.weight": 9, "shared.original_module.weight": 7},
			map[string]float32{"shared": 9, "tokens": 7, "head": 7}},
		{"a copied head", "dense", "head", map[string]float32{"head.weight": 9, "shared.weight": 7}, map[string]float32{"shared": 7, "tokens": 7, "head": 9}},
	} {
		config := poly.NewConfig()
		config.R, config.NSkills, config.TargetModules = 1, 1, poly.ModuleNames(c.target)
		if c.save != "" {
			config.ModulesToSave = []string{c.save}
		}
		source := tensors{}
		prefix := "base_model.model."
		source.add(prefix+c.target+".poly_lora_A", []int{1, 1, 2, 1}, 1, 2)
		source.add(prefix+c.target+".poly_lora_B", []int{1, 1, 1, 2}, 1, 2)
		source.add(prefix+c.target+".poly_router.module_logits", []int{1, 1}, 1)
		for key, last := range c.file {
			source[prefix+key] = table(last).Tensor(prefix+key, []int{2, 2})
		}
		a, err := poly.New(config, base, source)
		if err != nil {
			t.Fatal(err)
		}
		if len(a.Strangers()) > 0 {
			t.Errorf("%s: strangers %q", c.name, a.Strangers())
		}
		d, err := a.Task(0).Delta()
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Replaced) != len(c.want) {
			t.Errorf("%s: got %d layers replaced, want %d", c.name, len(d.Replaced), len(c.want))
		}
		for path, last := range c.want {
			if !has(d.Replaced[layers[path]], table(last)) {
				t.Errorf("%s: %s: got %v, want a table that ends with %g", c.name, path, d.Replaced[layers[path]], last)
			}
		}
	}
}
