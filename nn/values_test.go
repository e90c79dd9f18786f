package nn

import (
	"reflect"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// Values are what a layer was made with, in its type; a layer made with them is the same, and so is a trained one.
func TestValues(t *testing.T) {
	e := engine(t)
	bf16, f16 := Weights{BF16: []mat.BFloat16{1, 2, 3, 4, 5, 6}}, Weights{F16: []mat.Float16{1, 2, 3, 4, 5, 6}}
	f32, bias := Weights{F32: []float32{1, 2, 3, 4, 5, 6, 7, 8}}, Weights{F32: []float32{8, 9}}
	for name, c := range map[string]struct {
		layer Layer
		want  map[string]Weights
	}{
		"Linear":           {NewLinear(e, f32, 2, 4), map[string]Weights{"weight": f32}},
		"Linear of bf16":   {NewLinear(e, bf16, 2, 3).WithBias(bias.F32), map[string]Weights{"weight": bf16, "bias": bias}},
		"Linear of f16":    {NewLinear(e, f16, 3, 2), map[string]Weights{"weight": f16}},
		"Embedding":        {NewEmbedding(f32, 4, 2), map[string]Weights{"weight": f32}},
		"Embedding of f16": {NewEmbedding(f16, 3, 2), map[string]Weights{"weight": f16}},
		"RMSNorm":          {NewRMSNorm(f32.F32, 1e-6), map[string]Weights{"weight": f32}},
		"RelativeBias":     {NewRelativeBias(f32.F32, 4, 2, 8, true), map[string]Weights{"weight": f32}},
	} {
		if got := c.layer.Values(); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
		if got := c.layer.With(e, c.layer.Values()).Values(); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: a layer with its values: got %v, want %v", name, got, c.want)
		}
		params, want := map[string]*autodiff.Param{}, map[string]Weights{}
		for _, p := range c.layer.Params() {
			params[p.Name] = autodiff.NewParam(p.Name, p.Shape, c.want[p.Name].Float32s())
			want[p.Name] = Weights{F32: params[p.Name].Value.Data}
		}
		if got := c.layer.WithParams(params).Values(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: trained: got %v, want %v", name, got, want)
		}
	}
}

// Tensor is the reverse of WeightsOf.
func TestWeightsTensor(t *testing.T) {
	for _, w := range []Weights{{F32: []float32{1, 2, 3, 4}}, {BF16: []mat.BFloat16{1, 2, 3, 4}}, {F16: []mat.Float16{1, 2, 3, 4}}} {
		x := w.Tensor("w", []int{2, 2})
		if got, err := WeightsOf(x); err != nil || !reflect.DeepEqual(got, w) || x.Name != "w" || !reflect.DeepEqual(x.Shape, []int{2, 2}) {
			t.Errorf("got %v of %v, %v, want %v", got, x.Info, err, w)
		}
	}
	panics(t, "Tensor", func() { Weights{F32: []float32{1}}.Tensor("w", []int{2, 2}) }, "1 weights", "[2 2]")
}
