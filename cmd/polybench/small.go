package main

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/poly"
	"github.com/polytropon/polytropon/safetensors"
)

// The T5-small shape that is measured, and its adapter and batch.
const (
	smallConfig = `{"model_type": "t5", "vocab_size": 32128, "d_model": 512, "d_kv": 64, "d_ff": 2048, "num_heads": 8, "num_layers": 6,
		"feed_forward_proj": "relu", "tie_word_embeddings": true, "decoder_start_token_id": 0}`
	smallVocabulary, smallDim, smallInner, smallLayers = 32128, 512, 2048, 6

	smallRank, smallSkills, smallSplits, smallTasks = 8, 8, 4, 8
)

// small is the T5-small shape with seeded weights.
type small struct {
	model   *model.Model
	adapter *poly.Adapter
}

func newSmall(e *mat.Engine) (*small, error) {
	m, err := model.New([]byte(smallConfig), smallBase(), e)
	if err != nil {
		return nil, err
	}
	c := poly.NewConfig()
	c.R, c.NSkills, c.NSplits, c.NTasks = smallRank, smallSkills, smallSplits, smallTasks
	a, err := poly.New(c, m, smallAdapter(m))
	if err != nil {
		return nil, err
	}
	return &small{m, a}, nil
}

// batchSize is a number of sequences, of as many tokens each.
type batchSize struct{ sequences, source, target int }

// flops returns the floating-point operations of the matrix products of one forward pass of the base.
func (b batchSize) flops() float64 {
	source, target := float64(b.sequences*b.source), float64(b.sequences*b.target)
	const square, feed = smallDim * smallDim, 2 * smallDim * smallInner
	encoder := source * (4*square + feed + 2*smallDim*float64(b.source))
	decoder := target*(6*square+feed+2*smallDim*float64(b.target)+2*smallDim*float64(b.source)) + source*2*square
	return 2 * (smallLayers*(encoder+decoder) + target*smallDim*smallVocabulary)
}

// batch returns sequences of seeded tokens, each for another task where adapted.
func (s *small) batch(size batchSize, adapted bool) []model.Sequence {
	rng := rand.New(rand.NewPCG(1, 2))
	ids := func(n int) []int {
		x := make([]int, n)
		for i := range x {
			x[i] = rng.IntN(smallVocabulary)
		}
		return x
	}
	b := make([]model.Sequence, size.sequences)
	for i := range b {
		b[i] = model.Sequence{InputIDs: ids(size.source), DecoderInputIDs: ids(size.target)}
		if adapted {
			b[i].Adapters = []nn.Adapter{s.adapter.Task(i % smallTasks)}
		}
	}
	return b
}

// seeded is a source of tensors whose values come from their names.
type seeded map[string]seededTensor

type seededTensor struct {
	shape  []int
	spread float64 // values are uniform in ±spread around center
	center float64
}

func smallBase() seeded {
	s := seeded{"shared.weight": {[]int{smallVocabulary, smallDim}, 1, 0}}
	linear := func(name string, out, in int) {
		s[name+".weight"] = seededTensor{[]int{out, in}, 1 / math.Sqrt(float64(in)), 0}
	}
	norm := func(name string) { s[name+".weight"] = seededTensor{[]int{smallDim}, 0.1, 1} }
	attention := func(layer, name string) {
		norm(layer + ".layer_norm")
		for _, l := range []string{"q", "k", "v", "o"} {
			linear(layer+"."+name+"."+l, smallDim, smallDim)
		}
	}
	for stack, sublayers := range map[string]int{"encoder": 2, "decoder": 3} {
		norm(stack + ".final_layer_norm")
		s[stack+".block.0.layer.0.SelfAttention.relative_attention_bias.weight"] = seededTensor{[]int{32, 8}, 1, 0}
		for b := range smallLayers {
			layer := func(i int) string { return fmt.Sprintf("%s.block.%d.layer.%d", stack, b, i) }
			attention(layer(0), "SelfAttention")
			if stack == "decoder" {
				attention(layer(1), "EncDecAttention")
			}
			last := layer(sublayers - 1)
			norm(last + ".layer_norm")
			linear(last+".DenseReluDense.wi", smallInner, smallDim)
			linear(last+".DenseReluDense.wo", smallDim, smallInner)
		}
	}
	return s
}

// smallAdapter has tensors for every linear layer; the config chooses those of q and v, the default of T5.
func smallAdapter(m *model.Model) seeded {
	s := seeded{}
	for _, module := range m.Modules() {
		l, ok := module.Layer.(*nn.Linear)
		if !ok {
			continue
		}
		key := "base_model.model." + module.Path
		s[key+".poly_lora_A"] = seededTensor{[]int{smallSplits, smallSkills, l.In / smallSplits, smallRank}, 1 / math.Sqrt(float64(l.In)), 0}
		s[key+".poly_lora_B"] = seededTensor{[]int{smallSplits, smallSkills, smallRank, l.Out / smallSplits}, 0.1, 0}
		s[key+".poly_router.module_logits"] = seededTensor{[]int{smallTasks, smallSplits * smallSkills}, 2, 0}
	}
	return s
}

// Names implements model.Source and poly.Source.
func (s seeded) Names() []string {
	names := make([]string, 0, len(s))
	for name := range s {
		names = append(names, name)
	}
	return names
}

// Metadata implements poly.Source.
func (s seeded) Metadata() map[string]string { return nil }

// Info implements model.Source and poly.Source.
func (s seeded) Info(name string) (safetensors.Info, bool) {
	t, ok := s[name]
	return safetensors.Info{Name: name, DType: safetensors.F32, Shape: t.shape}, ok
}

// Tensor implements model.Source and poly.Source.
func (s seeded) Tensor(name string) (safetensors.Tensor, error) {
	info, ok := s.Info(name)
	if !ok {
		return safetensors.Tensor{}, fmt.Errorf("no tensor %s", name)
	}
	t := s[name]
	h := fnv.New64a()
	h.Write([]byte(name))
	rng := rand.New(rand.NewPCG(h.Sum64(), 0))
	n := 1
	for _, d := range t.shape {
		n *= d
	}
	data := make([]byte, 4*n)
	for i := range n {
		x := float32(t.center + (2*rng.Float64()-1)*t.spread)
		binary.LittleEndian.PutUint32(data[4*i:], math.Float32bits(x))
	}
	info.Size = int64(len(data))
	return safetensors.Tensor{Info: info, Data: data}, nil
}
