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

// Parameters of the base model in an adapter's file take the place of its own where they differ, in every module that shares their memory.
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
		base := listed{e, []nn.Module{{Path: "tokens", Layer: tokens}, {Path: "tied", Layer: tied}, {Path: "other", Layer: other}, {Path: "dense", Layer: dense}}}
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
		if r := replaced("tokens.weight", values(7)[name]); len(r) != 2 || r[tokens] == nil || r[tied] != r[tokens] {
			t.Errorf("%s: got %d layers replaced by another table, want the two that share it", name, len(r))
		}
		r := replaced("dense.base_layer.bias", nn.Weights{F32: []float32{5, 7}})
		if with, ok := r[dense].(*nn.Linear); len(r) != 1 || !ok || with.Equal(dense) || !with.Equal(dense.WithBias([]float32{5, 7})) {
			t.Errorf("%s: a bias: got %v, want the layer with it", name, r)
		}
	}
}
