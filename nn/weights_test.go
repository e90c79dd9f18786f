package nn

import (
	"reflect"
	"slices"
	"testing"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/safetensors"
)

func TestWeightsOfKeepTheirType(t *testing.T) {
	tensor := func(d safetensors.DType, data ...byte) safetensors.Tensor {
		n := len(data) * 8 / d.Bits()
		return safetensors.Tensor{Info: safetensors.Info{Name: "w", DType: d, Shape: []int{n}, Size: int64(len(data))}, Data: data}
	}
	for _, c := range []struct {
		tensor safetensors.Tensor
		want   Weights
		values []float32
	}{
		{tensor(safetensors.F32, 0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0), Weights{F32: []float32{1, -2.5}}, []float32{1, -2.5}},
		{tensor(safetensors.F64, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 1, 0, 0, 0, 0, 0, 0xf0, 0x3f), Weights{F32: []float32{1, 1}}, []float32{1, 1}},
		{tensor(safetensors.BF16, 0x80, 0x3f, 0x20, 0xc0), Weights{BF16: []mat.BFloat16{0x3f80, 0xc020}}, []float32{1, -2.5}},
		{tensor(safetensors.F16, 0x00, 0x3c, 0x00, 0xc1), Weights{F16: []mat.Float16{0x3c00, 0xc100}}, []float32{1, -2.5}},
	} {
		w, err := WeightsOf(c.tensor)
		if err != nil || !reflect.DeepEqual(w, c.want) || !slices.Equal(w.Float32s(), c.values) || w.Len() != 2 {
			t.Errorf("%s: got %v, %v, want %v", c.tensor.DType, w, err, c.want)
		}
	}
	for _, d := range []safetensors.DType{safetensors.Bool, safetensors.U8, safetensors.I8, safetensors.I32, safetensors.I64, safetensors.F8E4M3} {
		_, err := WeightsOf(tensor(d, make([]byte, 16)...))
		if want := "nn: tensor w: got dtype " + d.String() + ", want F32, BF16, F16 or F64"; err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", d, err, want)
		}
	}
}

func TestLayersListTheirParams(t *testing.T) {
	e := engine(t)
	for _, l := range []Layer{
		NewLinear(e, Weights{F32: make([]float32, 6)}, 2, 3),
		NewEmbedding(Weights{F32: make([]float32, 6)}, 3, 2),
		NewRMSNorm(make([]float32, 6), 1e-6),
		NewRelativeBias(make([]float32, 12), 4, 3, 16, false),
	} {
		params := l.Params()
		if len(params) != 1 || params[0].Name != "weight" {
			t.Fatalf("%T: %v", l, params)
		}
		n := 1
		for _, d := range params[0].Shape {
			n *= d
		}
		for _, w := range []Weights{{F32: make([]float32, n)}, {BF16: make([]mat.BFloat16, n)}, {F16: make([]mat.Float16, n)}} {
			if with := l.With(e, map[string]Weights{"weight": w}); !reflect.DeepEqual(with.Params(), params) || with == l {
				t.Errorf("%T with other values: %v, want %v", l, with.Params(), params)
			}
		}
	}
}
