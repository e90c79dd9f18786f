package main

import (
	"fmt"
	"math"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/poly"
	"github.com/polytropon/polytropon/safetensors"
)

// The Llama shape of 135 million parameters that is measured: SmolLM2-135M's.
const (
	llamaConfig = `{"model_type": "llama", "vocab_size": 49152, "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30,
		"num_attention_heads": 9, "num_key_value_heads": 3, "rope_theta": 100000, "rms_norm_eps": 1e-5, "tie_word_embeddings": true}`
	llamaVocabulary, llamaDim, llamaInner, llamaLayers, llamaKeys = 49152, 576, 1536, 30, 192
)

// llama135 is that shape with seeded weights, and an adapter of its default layers.
type llama135 struct {
	model   *model.Model
	adapter *poly.Adapter
	storage safetensors.DType
	bytes   int64 // of the weights that a step reads, as in a file
}

func newLlama135(e *mat.Engine, storage safetensors.DType) (*llama135, error) {
	var source model.Source = llamaBase()
	if storage == safetensors.BF16 {
		source = halved{llamaBase()}
	}
	m, err := model.New([]byte(llamaConfig), source, e)
	if err != nil {
		return nil, err
	}
	c := poly.NewConfig()
	c.R, c.NSkills, c.NSplits, c.NTasks = smallRank, smallSkills, smallSplits, smallTasks
	a, err := poly.New(c, m, smallAdapter(m))
	if err != nil {
		return nil, err
	}
	return &llama135{m, a, storage, m.Architecture().Parameters * int64(storage.Bits()) / 8}, nil
}

func llamaBase() seeded {
	s := seeded{"model.embed_tokens.weight": {[]int{llamaVocabulary, llamaDim}, 0.1, 0}}
	linear := func(name string, out, in int) {
		s[name+".weight"] = seededTensor{[]int{out, in}, 1 / math.Sqrt(float64(in)), 0}
	}
	norm := func(name string) { s[name+".weight"] = seededTensor{[]int{llamaDim}, 0.1, 1} }
	norm("model.norm")
	for i := range llamaLayers {
		layer := fmt.Sprintf("model.layers.%d.", i)
		norm(layer + "input_layernorm")
		linear(layer+"self_attn.q_proj", llamaDim, llamaDim)
		linear(layer+"self_attn.k_proj", llamaKeys, llamaDim)
		linear(layer+"self_attn.v_proj", llamaKeys, llamaDim)
		linear(layer+"self_attn.o_proj", llamaDim, llamaDim)
		norm(layer + "post_attention_layernorm")
		linear(layer+"mlp.gate_proj", llamaInner, llamaDim)
		linear(layer+"mlp.up_proj", llamaInner, llamaDim)
		linear(layer+"mlp.down_proj", llamaDim, llamaInner)
	}
	return s
}

// held returns how many bytes the linear layers' weights take in memory for each byte in a file.
func (l *llama135) held() float64 {
	packed, plain := 0, 0
	for _, m := range l.model.Modules() {
		if layer, ok := m.Layer.(*nn.Linear); ok {
			packed, plain = packed+layer.Bytes(), plain+layer.In*layer.Out
		}
	}
	return float64(packed) / float64(plain*l.storage.Bits()/8)
}

// requests returns sequences of seeded tokens, each for another task where adapted.
func (l *llama135) requests(n, tokens int, adapted bool) []model.Request {
	r := make([]model.Request, n)
	for i := range r {
		for t := range tokens {
			r[i].InputIDs = append(r[i].InputIDs, (7919*i+104729*t)%llamaVocabulary)
		}
		if adapted {
			r[i].Adapters = []nn.Adapter{l.adapter.Task(i % smallTasks)}
		}
	}
	return r
}

// halved is a source in bfloat16: the upper halves of the numbers.
type halved struct{ seeded }

// Info implements model.Source.
func (h halved) Info(name string) (safetensors.Info, bool) {
	info, ok := h.seeded.Info(name)
	info.DType = safetensors.BF16
	return info, ok
}

// Tensor implements model.Source.
func (h halved) Tensor(name string) (safetensors.Tensor, error) {
	t, err := h.seeded.Tensor(name)
	if err != nil {
		return t, err
	}
	half := t.Data[:0]
	for i := 0; i < len(t.Data); i += 4 {
		half = append(half, t.Data[i+2], t.Data[i+3])
	}
	t.Data, t.DType, t.Size = half, safetensors.BF16, int64(len(half))
	return t, nil
}
