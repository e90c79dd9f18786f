package nn

import (
	"slices"
	"testing"

	"github.com/polytropon/polytropon/mat"
)

func TestEmbeddingWidensExactly(t *testing.T) {
	e := engine(t)
	for _, c := range []struct {
		name    string
		weights Weights
		want    []float32 // of tokens 2, 0, 2, 1
	}{
		{"F32", Weights{F32: []float32{1, 2, 3, 4, 5, 6}}, []float32{5, 6, 1, 2, 5, 6, 3, 4}},
		{"BF16", Weights{BF16: []mat.BFloat16{0x3f80, 0xc000, 0x3eab, 0x7f7f, 0x0001, 0x8000}},
			[]float32{0x1p-133, 0, 1, -2, 0x1p-133, 0, 0.333984375, 0x1.fep127}},
		{"F16", Weights{F16: []mat.Float16{0x3c00, 0xc000, 0x3555, 0x7bff, 0x0001, 0x8000}},
			[]float32{0x1p-24, 0, 1, -2, 0x1p-24, 0, 0.333251953125, 65504}},
	} {
		got := NewEmbedding(c.weights, 3, 2).Forward(pass(e, 2), ragged(1, 3), []int{2, 0, 2, 1}).Matrix
		if !slices.Equal(values(got), c.want) {
			t.Errorf("%s: got %v, want %v", c.name, values(got), c.want)
		}
	}
}

func TestEmbeddingReplaced(t *testing.T) {
	e := engine(t)
	base := NewEmbedding(Weights{F32: []float32{1, 2, 3}}, 3, 1)
	delta := func(w Weights) []*Delta {
		return []*Delta{{Replaced: map[Layer]Layer{base: base.With(e, map[string]Weights{"weight": w})}}}
	}
	f32, half := delta(Weights{F32: []float32{10, 20, 30}}), delta(Weights{F16: []mat.Float16{0xbc00, 0xc000, 0xc200}})
	got := base.Forward(passOf(e, [][]*Delta{f32, nil, half, half, f32}), ragged(1, 2, 1, 0, 2), []int{0, 1, 2, 1, 0, 2}).Matrix
	if !slices.Equal(values(got), []float32{10, 2, 3, -2, 10, 30}) {
		t.Errorf("got %v", values(got))
	}
}
