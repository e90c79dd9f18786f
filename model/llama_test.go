package model

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/safetensors"
)

// smallLlama has the fields that a config of the Llama family must have.
var smallLlama = fields{"model_type": `"llama"`, "vocab_size": "13", "hidden_size": "16", "intermediate_size": "24", "num_hidden_layers": "2",
	"num_attention_heads": "4"}

// llamaBatch has sequences of one to many tokens; the first two are those of testdata/llama.py.
var llamaBatch = []Sequence{{InputIDs: []int{5, 1}}, {InputIDs: cycle(40, 7)}, {InputIDs: []int{12}}, {InputIDs: cycle(17, 2)}}

// llamaSource returns the tensors that f implies, as testdata/llama.py fills them.
func (f fields) llamaSource(t testing.TB, dtype safetensors.DType) tensors {
	t.Helper()
	c, err := readConfig(f.text())
	if err != nil {
		t.Fatal(err)
	}
	cfg := c.(llamaConfig)
	s := tensors{}
	add := func(name string, shape ...int) {
		t := tensor(name, dtype, shape...)
		s[t.Name] = t
	}
	linear := func(path string, out, in int, biased bool) {
		add(path+".weight", out, in)
		if biased {
			add(path+".bias", out)
		}
	}
	add("model.embed_tokens.weight", cfg.Vocabulary, cfg.Dim)
	add("model.norm.weight", cfg.Dim)
	if !cfg.Tied {
		add("lm_head.weight", cfg.Vocabulary, cfg.Dim)
	}
	for i := range cfg.Layers {
		p := fmt.Sprintf("model.layers.%d.", i)
		add(p+"input_layernorm.weight", cfg.Dim)
		add(p+"post_attention_layernorm.weight", cfg.Dim)
		linear(p+"self_attn.q_proj", cfg.Heads*cfg.HeadSize, cfg.Dim, cfg.InputBias)
		linear(p+"self_attn.k_proj", cfg.KVHeads*cfg.HeadSize, cfg.Dim, cfg.InputBias)
		linear(p+"self_attn.v_proj", cfg.KVHeads*cfg.HeadSize, cfg.Dim, cfg.InputBias)
		linear(p+"self_attn.o_proj", cfg.Dim, cfg.Heads*cfg.HeadSize, cfg.OutputBias)
		linear(p+"mlp.gate_proj", cfg.Inner, cfg.Dim, cfg.FeedBias)
		linear(p+"mlp.up_proj", cfg.Inner, cfg.Dim, cfg.FeedBias)
		linear(p+"mlp.down_proj", cfg.Dim, cfg.Inner, cfg.FeedBias)
		if cfg.HeadNorms {
			add(p+"self_attn.q_norm.weight", cfg.HeadSize)
			add(p+"self_attn.k_norm.weight", cfg.HeadSize)
		}
	}
	return s
}

func (f fields) openLlama(t testing.TB, e *mat.Engine) *Model {
	t.Helper()
	m, err := New(f.text(), f.llamaSource(t, f32), e)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A llamaReference is what transformers says of a model of testdata/llama.py.
type llamaReference struct {
	Config  fields
	Modules []string    // "path class"
	Last    [][]float64 // the logits of the last position of each sequence
}

func llamaReferences(t *testing.T) []llamaReference {
	data, err := os.ReadFile("testdata/llama.json")
	if err != nil {
		t.Fatal(err)
	}
	var r []llamaReference
	if err := json.Unmarshal(data, &r); err != nil || len(r) != 4 {
		t.Fatal(err, len(r))
	}
	return r
}

// TestLlamaLogitsAreTransformers allows for float32 in another order: a few units of the largest logit's last place per layer.
func TestLlamaLogitsAreTransformers(t *testing.T) {
	e := engine(t)
	for _, c := range llamaReferences(t) {
		got, err := c.Config.openLlama(t, e).Logits(t.Context(), llamaBatch[:len(c.Last)])
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range c.Last {
			of := got.Of(i)
			row := of.Row(of.Rows - 1)
			for j, x := range want {
				if !(math.Abs(float64(row[j])-x) <= 1e-5) {
					t.Errorf("%s: sequence %d, token %d: got %v, want %v", c.Config["model_type"], i, j, row[j], x)
				}
			}
		}
	}
}

// TestOpenLlamaFolder checks that the folder that transformers saved is the model that the reference was computed with.
func TestOpenLlamaFolder(t *testing.T) {
	e := engine(t)
	m, err := Open("testdata/llama", e)
	if err != nil {
		t.Fatal(err)
	}
	if want := logits(t, llamaReferences(t)[0].Config.openLlama(t, e), llamaBatch...); !slices.Equal(logits(t, m, llamaBatch...), want) {
		t.Error("other logits than those of its formulas")
	}
}

func TestLlamaModulesAreTorchs(t *testing.T) {
	e := engine(t)
	for _, c := range llamaReferences(t) {
		m, s := c.Config.openLlama(t, e), c.Config.llamaSource(t, f32)
		var got []string
		for _, module := range m.Modules() {
			got = append(got, module.Path+" "+module.Type)
			if module.Output != (module.Path == "lm_head") {
				t.Errorf("%s: Output %t", module.Path, module.Output)
			}
			if tied := module.Tied == "model.embed_tokens"; tied != (module.Output && m.Architecture().TiedHead) || !tied && module.Tied != "" {
				t.Errorf("%s: tied to %q", module.Path, module.Tied)
			}
			if module.Layer == nil {
				continue
			}
			if reflect.ValueOf(module.Layer).IsNil() {
				t.Errorf("%s: a layer that is nil", module.Path)
				continue
			}
			for _, p := range module.Layer.Params() {
				key := module.Path + "." + p.Name
				if info, ok := s.Info(key); !(ok && slices.Equal(info.Shape, p.Shape)) && !(module.Output && m.Architecture().TiedHead) {
					t.Errorf("%s: %v, tensor %v, %t", key, p.Shape, info.Shape, ok)
				}
				delete(s, key)
			}
		}
		if !slices.Equal(got, c.Modules) {
			t.Errorf("got %v, want %v", got, c.Modules)
		}
		if len(s) > 0 {
			t.Errorf("no module has %v", s.Names())
		}
	}
}

// TestLlamaAloneAsInABatch checks every part of the batch, and the beginning of each sequence.
func TestLlamaAloneAsInABatch(t *testing.T) {
	e := engine(t)
	for _, c := range llamaReferences(t) {
		m := c.Config.openLlama(t, e)
		all, err := m.Logits(t.Context(), llamaBatch)
		if err != nil {
			t.Fatal(err)
		}
		for from := range llamaBatch {
			for to := from + 1; to <= len(llamaBatch); to++ {
				want := all.RowRange(all.Layout[from], all.Layout[to])
				if got := logits(t, m, llamaBatch[from:to]...); !slices.Equal(got, want.Data) {
					t.Errorf("%s: sequences %d to %d have other logits without the others", m.Type(), from, to)
				}
			}
			for n := 1; n <= len(llamaBatch[from].InputIDs); n++ {
				got := logits(t, m, Sequence{InputIDs: llamaBatch[from].InputIDs[:n]})
				if !slices.Equal(got, all.Of(from).RowRange(0, n).Data) {
					t.Errorf("%s: sequence %d: its first %d positions have other logits without what follows", m.Type(), from, n)
				}
			}
		}
	}
}

func TestLlamaHasTheSameBitsOnEveryEngine(t *testing.T) {
	if name := os.Getenv("POLY_REQUIRE_CPU"); name != "" && !slices.Contains(mat.Levels(), name) {
		t.Fatalf("level %q is not available here", name)
	}
	for _, c := range llamaReferences(t) {
		var want []float32
		for _, level := range mat.Levels() {
			for threads := 1; threads <= 2; threads++ {
				e, err := mat.NewEngine(mat.Options{Level: level, Threads: threads})
				if err != nil {
					t.Fatal(err)
				}
				got := logits(t, c.Config.openLlama(t, e), llamaBatch...)
				e.Close()
				if want == nil {
					want = got
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s: %s with %d threads: other bits", c.Config["model_type"], level, threads)
				}
			}
		}
	}
}

func TestLlamaRefusesTokens(t *testing.T) {
	m := smallLlama.openLlama(t, engine(t))
	for _, c := range []struct {
		s    Sequence
		want string
	}{
		{Sequence{}, "input_ids: got no tokens, want at least one"},
		{Sequence{InputIDs: []int{1, 13}}, "input_ids[1]: got 13, want 0 ≤ id < 13"},
		{Sequence{InputIDs: []int{1}, DecoderInputIDs: []int{1, 2}}, "decoder_input_ids: got 2 tokens, want none, as the model has no encoder"},
	} {
		_, err := m.Logits(t.Context(), []Sequence{llamaBatch[0], c.s})
		if want := "model: sequence 1: " + c.want; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestLlamaEndsWithTheContext counts that it is asked at the start and before each of the two layers.
func TestLlamaEndsWithTheContext(t *testing.T) {
	m := smallLlama.openLlama(t, engine(t))
	want := logits(t, m, llamaBatch...)
	for n := 1; n <= 3; n++ {
		if _, err := m.Logits(&countdown{t.Context(), n}, llamaBatch); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled at question %d: got %v", n, err)
		}
		if got := logits(t, m, llamaBatch...); !slices.Equal(got, want) {
			t.Errorf("other logits after a call cancelled at question %d", n)
		}
	}
}

// TestLlamaHalfPrecisionIsExact checks that values that every type holds give the same bits in every type.
func TestLlamaHalfPrecisionIsExact(t *testing.T) {
	e, f := engine(t), smallLlama.with("attention_bias", "true")
	want := logits(t, f.openLlama(t, e), llamaBatch[1])
	for _, dtype := range []safetensors.DType{bf16, safetensors.F16, safetensors.F64} {
		m, err := New(f.text(), f.llamaSource(t, dtype), e)
		if err != nil {
			t.Fatal(err)
		}
		if got := logits(t, m, llamaBatch[1]); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", dtype, got, want)
		}
	}
}

// TestLlamaOnATape checks that a pass with a tape computes the same logits, to the bit where no residual connection adds a bias, and their loss.
func TestLlamaOnATape(t *testing.T) {
	e := engine(t)
	for _, c := range llamaReferences(t) {
		m := c.Config.with("attention_bias", "", "mlp_bias", "").openLlama(t, e)
		want := logits(t, m, llamaBatch...)
		p, tape := nn.NewPass(e), autodiff.NewTape(e)
		p.ResetTraining(tape, len(llamaBatch), nil)
		l, rows, err := m.Forward(t.Context(), p, llamaBatch)
		if err != nil || rows.Sequences() != len(llamaBatch) || l.Needs() {
			t.Fatal(err, rows, l.Needs())
		}
		if !slices.Equal(l.Data, want) {
			t.Errorf("%s: other logits", m.Type())
		}
		labels := make([]int, l.Rows)
		labels[1] = nn.IgnoreIndex
		wantLoss, err := nn.CrossEntropy(e, l.Matrix, labels)
		if err != nil {
			t.Fatal(err)
		}
		p.ResetTraining(tape, len(llamaBatch), nil)
		loss, err := m.Loss(t.Context(), p, llamaBatch, labels, 0)
		if err != nil || loss.Data[0] != wantLoss {
			t.Errorf("%s: got a loss of %v and %v, want %v", m.Type(), loss.Data[0], err, wantLoss)
		}
	}
}

// The embedding of the token that pads is never trained; a negative one counts from the end.
func TestLlamaPadding(t *testing.T) {
	for id, want := range map[string]int{"": -1, "0": 0, "-1": 12} {
		for _, module := range smallLlama.with("pad_token_id", id).openLlama(t, engine(t)).Modules() {
			if e, ok := module.Layer.(*nn.Embedding); ok && e.Padding != want {
				t.Errorf("pad_token_id %q: got %d, want %d", id, e.Padding, want)
			}
		}
	}
}

// TestLlamaHead checks where the head comes from.
func TestLlamaHead(t *testing.T) {
	e := engine(t)
	tied := smallLlama.with("tie_word_embeddings", "true")
	s := tied.llamaSource(t, f32)
	table := s["model.embed_tokens.weight"]
	table.Name = "lm_head.weight"
	copied, err := New(tied.text(), s.with(table), e)
	if err != nil {
		t.Fatal(err)
	}
	want := logits(t, copied, llamaBatch[0])
	if got := logits(t, tied.openLlama(t, e), llamaBatch[0]); !slices.Equal(got, want) {
		t.Error("a copy of the embedding is another head")
	}
	if got := logits(t, smallLlama.openLlama(t, e), llamaBatch[0]); slices.Equal(got, want) {
		t.Error("an untied head is the embedding")
	}
	fails(t, tied.text(), s.with(tensor("lm_head.weight", f32, 13, 16)),
		"model: tensor lm_head.weight: got values that differ from model.embed_tokens.weight, want the same")
	fails(t, smallLlama.text(), s, "model: tensor lm_head.weight is missing, want shape [13 16]")
}

func TestLlamaTensorErrorsNameTheTensor(t *testing.T) {
	f := smallLlama.with("model_type", `"qwen3"`, "attention_bias", "true", "num_key_value_heads", "2", "head_dim", "6")
	s := f.llamaSource(t, f32)
	for name, tensor := range s {
		fails(t, f.text(), s.without(name), fmt.Sprintf("model: tensor %s is missing, want shape %v", name, tensor.Shape))
	}
	const k, norm, bias = "model.layers.1.self_attn.k_proj.weight", "model.layers.0.self_attn.q_norm.weight", "model.layers.0.self_attn.o_proj.bias"
	fails(t, f.text(), s.with(tensor(k, f32, 24, 16)), "model: tensor "+k+": got shape [24 16], want [12 16]")
	fails(t, f.text(), s.with(tensor(norm, f32, 16)), "model: tensor "+norm+": got shape [16], want [6]")
	fails(t, f.text(), s.with(tensor(bias, f32, 1, 16)), "model: tensor "+bias+": got shape [1 16], want [16]")
	fails(t, f.text(), s.with(tensor(bias, safetensors.I32, 16)), "model: nn: tensor "+bias+": got dtype I32, want F32, BF16, F16 or F64")
	fails(t, f.text(), s.with(tensor("model.layers.0.mlp.up_proj.bias", f32, 24)),
		"model: 1 tensors that the config does not imply: model.layers.0.mlp.up_proj.bias")
	fails(t, f.text(), s.with(tensor("model.layers.2.input_layernorm.weight", f32, 16)),
		"model: 1 tensors that the config does not imply: model.layers.2.input_layernorm.weight")
	llama := smallLlama.llamaSource(t, f32)
	fails(t, smallLlama.text(), llama.with(tensor(norm, f32, 4)), "model: 1 tensors that the config does not imply: "+norm)
	// Buffers of old files.
	old := llama.with(tensor("model.rotary_emb.inv_freq", f32, 2))
	for i := range 2 {
		old = old.with(tensor(fmt.Sprintf("model.layers.%d.self_attn.rotary_emb.inv_freq", i), f32, 2))
	}
	m, err := New(smallLlama.text(), old, engine(t))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(logits(t, m, llamaBatch[0]), logits(t, smallLlama.openLlama(t, m.Engine()), llamaBatch[0])) {
		t.Error("they change the logits")
	}
}

// TestLlamaOfManyLayersFailsEarly checks that a config cannot make the model allocate what its file does not have.
func TestLlamaOfManyLayersFailsEarly(t *testing.T) {
	f := smallLlama.with("num_hidden_layers", "65536", "head_dim", "536870910", "vocab_size", "2147483647")
	if _, err := New(f.text(), smallLlama.llamaSource(t, f32), engine(t)); err == nil || !strings.Contains(err.Error(), "got shape [13 16]") {
		t.Errorf("got %v", err)
	}
}
