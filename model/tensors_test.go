package model

import (
	"fmt"
	"slices"
	"testing"

	"github.com/polytropon/polytropon/safetensors"
)

const (
	f32  = safetensors.F32
	bf16 = safetensors.BF16
)

func TestTensorErrorsNameTheTensor(t *testing.T) {
	s := small.source(f32)
	const q, norm, bias = "encoder.block.1.layer.0.SelfAttention.q.weight", "decoder.final_layer_norm.weight",
		"decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
	for _, c := range []struct {
		source tensors
		want   string
	}{
		{tensors{}, "tensor shared.weight is missing, want shape [13 16]"},
		{s.without(q), "tensor " + q + " is missing, want shape [12 16]"},
		{s.without(norm), "tensor " + norm + " is missing, want shape [16]"},
		{s.without(bias), "tensor " + bias + " is missing, want shape [32 3]"},
		{s.with(tensor(q, f32, 16, 12)), "tensor " + q + ": got shape [16 12], want [12 16]"},
		{s.with(tensor(q, f32, 192)), "tensor " + q + ": got shape [192], want [12 16]"},
		{s.with(tensor(norm, f32, 1, 16)), "tensor " + norm + ": got shape [1 16], want [16]"},
		{s.with(tensor(norm, f32)), "tensor " + norm + ": got shape [], want [16]"},
		{s.with(tensor("shared.weight", f32, 14, 16)), "tensor shared.weight: got shape [14 16], want [13 16]"},
		{s.with(tensor("lm_head.weight", f32, 16, 13)), "tensor lm_head.weight: got shape [16 13], want [13 16]"},
		{s.with(tensor(q, safetensors.I64, 12, 16)), "nn: tensor " + q + ": got dtype I64, want F32, BF16, F16 or F64"},
		{s.with(tensor("lm_head.weight", safetensors.U8, 13, 16)), "nn: tensor lm_head.weight: got dtype U8, want F32, BF16, F16 or F64"},
		{s.with(tensor("encoder.embed_tokens.weight", bf16, 13, 16)),
			"tensor encoder.embed_tokens.weight: got values that differ from shared.weight, want the same"},
		{s.with(tensor("decoder.embed_tokens.weight", f32, 13, 16)),
			"tensor decoder.embed_tokens.weight: got values that differ from shared.weight, want the same"},
		{s.with(tensor("lm_head.bias", f32, 13)), "1 tensors that the config does not imply: lm_head.bias"},
		{s.with(tensor("c", f32), tensor("e", f32), tensor("a", f32), tensor("d", f32), tensor("b", f32)),
			"5 tensors that the config does not imply: a, b, c, d"},
		{s.with(tensor("encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight", f32, 32, 3)),
			"1 tensors that the config does not imply: encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight"},
		{s.with(tensor("encoder.block.2.layer.0.layer_norm.weight", f32, 16)),
			"1 tensors that the config does not imply: encoder.block.2.layer.0.layer_norm.weight"},
	} {
		fails(t, small.text(), c.source, "model: "+c.want)
	}
}

// TestEveryTensorIsNeeded takes the tensors out one by one.
func TestEveryTensorIsNeeded(t *testing.T) {
	for _, modelType := range []string{"t5", "mt5", "umt5"} {
		f := small.with("model_type", fmt.Sprintf("%q", modelType))
		s := f.source(f32)
		for name, tensor := range s {
			fails(t, f.text(), s.without(name), fmt.Sprintf("model: tensor %s is missing, want shape %v", name, tensor.Shape))
		}
	}
}

// TestReadErrorsReachTheCaller checks a source that loses its file.
func TestReadErrorsReachTheCaller(t *testing.T) {
	for _, name := range []string{"shared.weight", "decoder.block.1.layer.2.DenseReluDense.wo.weight", "encoder.embed_tokens.weight"} {
		s := small.source(f32)
		copied := s["shared.weight"]
		copied.Name = "encoder.embed_tokens.weight"
		fails(t, small.text(), broken{s.with(copied), name}, "model: cannot read "+name)
	}
}

// broken is a source that fails to read one tensor.
type broken struct {
	tensors
	name string
}

func (b broken) Tensor(name string) (safetensors.Tensor, error) {
	if name == b.name {
		return safetensors.Tensor{}, fmt.Errorf("cannot read %s", name)
	}
	return b.tensors.Tensor(name)
}

// TestTensorsOfOldFiles checks copies of the embedding and a bias that no model uses.
func TestTensorsOfOldFiles(t *testing.T) {
	s := small.source(f32)
	old := s.with(tensor("decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight", f32, 32, 3))
	for _, stack := range []string{"encoder", "decoder"} {
		table := s["shared.weight"]
		table.Name = stack + ".embed_tokens.weight"
		old = old.with(table)
	}
	m, err := New(small.text(), old, engine(t))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(logits(t, m, batch[0]), logits(t, small.open(t, m.Engine()), batch[0])) {
		t.Error("they change the logits")
	}
}

// TestHeadIsWhatTheFileHas checks that a head equal to the embedding is the tied one, and another is not.
func TestHeadIsWhatTheFileHas(t *testing.T) {
	e, s := engine(t), small.source(f32)
	head := s["shared.weight"]
	head.Name = "lm_head.weight"
	want := logits(t, small.open(t, e), batch[0])
	for name, c := range map[string]struct {
		head  safetensors.Tensor
		equal bool
	}{"the embedding's": {head, true}, "its own": {tensor("lm_head.weight", f32, 13, 16), false}} {
		m, err := New(small.text(), s.with(c.head), e)
		if err != nil {
			t.Fatal(err)
		}
		if got := logits(t, m, batch[0]); slices.Equal(got, want) != c.equal {
			t.Errorf("%s: got %v, tied %v", name, got, want)
		}
		if n := m.Architecture().Parameters - small.open(t, e).Architecture().Parameters; n != 13*16 {
			t.Errorf("%s: %d parameters more than tied, want %d", name, n, 13*16)
		}
	}
}

// TestHalfPrecisionIsExact checks that values that every type holds give the same bits in every type.
func TestHalfPrecisionIsExact(t *testing.T) {
	e := engine(t)
	want := logits(t, small.open(t, e), batch[1])
	for _, dtype := range []safetensors.DType{bf16, safetensors.F16, safetensors.F64} {
		m, err := New(small.text(), small.source(dtype), e)
		if err != nil {
			t.Fatal(err)
		}
		if got := logits(t, m, batch[1]); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", dtype, got, want)
		}
	}
}
