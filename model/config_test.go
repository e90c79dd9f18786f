package model

import (
	"fmt"
	"strings"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/safetensors"
)

func TestConfigErrorsNameTheField(t *testing.T) {
	const size = "an integer from 1 to 2147483647"
	type wrong struct{ value, want string }
	integers := []wrong{{"0", size}, {"-1", size}, {"2147483648", size}, {"99999999999999999999", size}, {"7.5", size}, {"1e2", size}, {`"7"`, size},
		{"true", size}, {"[7]", size}, {"{}", size}}
	booleans := []wrong{{"0", "true or false"}, {`"true"`, "true or false"}, {"[]", "true or false"}}
	activation := `one of ["gelu" "gelu_new" "gelu_pytorch_tanh" "relu" "sigmoid" "silu" "swish" "tanh"]`
	activations := activation + `, with or without "gated-"`
	const types, buckets = `one of ["t5" "mt5" "umt5" "llama" "mistral" "qwen2" "qwen3"]`, "an even number from 4 to 1024"
	for name, cases := range map[string][]wrong{
		"vocab_size": integers, "d_model": integers, "d_kv": integers, "d_ff": integers, "num_heads": integers, "num_layers": integers,
		"num_decoder_layers": integers,
		"relative_attention_num_buckets": append([]wrong{{"1", buckets}, {"2", buckets}, {"3", buckets}, {"7", buckets}, {"33", buckets}, {"1026", buckets},
			{"2147483646", buckets}}, integers...),
		"relative_attention_max_distance": append([]wrong{{"16", "more than half of relative_attention_num_buckets"},
			{"1", "more than half of relative_attention_num_buckets"}}, integers...),
		"layer_norm_epsilon": {{"0", ""}, {"-1e-6", ""}, {`"1e-6"`, ""}, {"1e39", ""}, {"1e-60", ""}, {"1e999", ""}, {"[]", ""}},
		"feed_forward_proj": {{`"gelu_10"`, activations}, {`"gated"`, activations}, {`"gated-"`, activations}, {`"gated-gated-gelu"`, activations},
			{`""`, activations}, {`"ReLU"`, activations}, {"1", "a string"}, {"[]", "a string"}},
		"dense_act_fn":        {{`"gelu_10"`, activation}, {`"gated-gelu"`, activation}, {"1", "a string"}},
		"tie_word_embeddings": booleans, "scale_decoder_outputs": booleans,
		"quantization_config": {{`{"quant_method": "fp8"}`, "none: quantised weights are not supported"}},
		"model_type":          {{`"gpt2"`, types}, {`"T5"`, types}, {`""`, types}, {"5", "a string"}},
	} {
		for _, c := range cases {
			if name == "layer_norm_epsilon" {
				c.want = "a positive number that float32 holds"
			}
			fails(t, small.with(name, c.value).text(), tensors{}, fmt.Sprintf("model: config.json: field %s: got %s, want %s", name, c.value, c.want))
		}
	}
	for _, name := range []string{"vocab_size", "d_model", "d_kv", "d_ff", "num_heads", "num_layers"} {
		fails(t, small.with(name, "").text(), tensors{}, "model: config.json: field "+name+": got nothing, want a positive integer")
		fails(t, small.with(name, "null").text(), tensors{}, "model: config.json: field "+name+": got null, want a positive integer")
	}
	fails(t, small.with("num_heads", "65536", "d_kv", "65536").text(), tensors{}, "model: config.json: field num_heads: got 65536, want at most 32767 of size 65536")
	fails(t, small.with("model_type", "").text(), tensors{}, "model: config.json: field model_type: got nothing, want "+types)
	fails(t, small.with("model_type", "null").text(), tensors{}, "model: config.json: field model_type: got null, want "+types)
	fails(t, small.with("d_model", `"`+strings.Repeat("x", 200)+`"`).text(), tensors{},
		`model: config.json: field d_model: got "`+strings.Repeat("x", 79)+", want "+size)
}

func TestConfigMustBeAnObject(t *testing.T) {
	for text, want := range map[string]string{
		"":                "unexpected end of JSON input",
		"null":            "got null",
		"[]":              "cannot unmarshal array",
		"7":               "cannot unmarshal number",
		`{"d_model": 1`:   "unexpected end of JSON input",
		`{"d_model": 1}}`: "after top-level value",
		"PK\x03\x04":      "invalid character",
	} {
		_, err := New([]byte(text), tensors{}, engine(t))
		if err == nil || !strings.HasPrefix(err.Error(), "model: config.json: not a JSON object: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want one with %q", text, err, want)
		}
	}
}

func TestConfigDefaults(t *testing.T) {
	e := engine(t)
	base := Architecture{Type: "t5", Vocabulary: 13, Dim: 16, Inner: 24, Heads: 3, KVHeads: 3, HeadSize: 4, EncoderLayers: 2, DecoderLayers: 2,
		FeedForward: "relu", Buckets: 32, MaxDistance: 128, TiedHead: true, ScaledOutputs: true}
	// The embedding, two tables of biases, and per layer: 4 (encoder) or 8 projections of 16 × 12, a feed-forward layer and 2 or 3 norms.
	base.Parameters = 13*16 + 2*32*3 + 2*(12*16*12+2*2*24*16+5*16) + 2*16
	mt5, umt5 := base, base
	mt5.Type, mt5.FeedForward, mt5.ScaledOutputs = "mt5", "gated-gelu", false
	mt5.Parameters += 4 * 24 * 16
	umt5.Type, umt5.FeedForward = "umt5", "gated-gelu"
	umt5.Parameters = mt5.Parameters + 2*32*3
	optional := []string{"num_decoder_layers", "relative_attention_num_buckets", "relative_attention_max_distance", "layer_norm_epsilon",
		"feed_forward_proj", "tie_word_embeddings", "scale_decoder_outputs"}
	for _, want := range []Architecture{base, mt5, umt5} {
		absent := small.with("model_type", fmt.Sprintf("%q", want.Type), "torch_dtype", `"bfloat16"`, "architectures", `["X"]`)
		null := absent.with()
		for _, name := range optional {
			null[name] = "null"
		}
		for _, f := range []fields{absent, null} {
			m := f.open(t, e)
			if got := m.Architecture(); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if got := m.net.(*t5).Epsilon; got != 1e-6 {
				t.Errorf("epsilon %v", got)
			}
			if m.Type() != want.Type || m.Vocabulary() != 13 || m.Engine() != e {
				t.Errorf("%s, %d, %p", m.Type(), m.Vocabulary(), m.Engine())
			}
		}
	}
}

func TestConfigFieldsAreUsed(t *testing.T) {
	e := engine(t)
	m := small.with("num_decoder_layers", "1", "relative_attention_num_buckets", "8", "relative_attention_max_distance", "20",
		"layer_norm_epsilon", "1e-5", "feed_forward_proj", `"gated-silu"`).open(t, e)
	a := m.Architecture()
	if a.EncoderLayers != 2 || a.DecoderLayers != 1 || a.Buckets != 8 || a.MaxDistance != 20 || m.net.(*t5).Epsilon != 1e-5 || a.FeedForward != "gated-silu" {
		t.Errorf("%+v, epsilon %v", a, m.net.(*t5).Epsilon)
	}
	for _, act := range []string{"relu", "gelu", "gelu_new", "gelu_pytorch_tanh", "silu", "swish", "tanh", "sigmoid"} {
		for _, prefix := range []string{"", "gated-"} {
			f := small.with("feed_forward_proj", fmt.Sprintf("%q", prefix+act))
			if m := f.open(t, e); m.net.(*t5).Gated != (prefix != "") || m.Architecture().FeedForward != prefix+act {
				t.Errorf("%s%s: %+v", prefix, act, m.Architecture())
			}
		}
	}
	for name, want := range map[string]*autodiff.Function{`"silu"`: autodiff.SiLU, `"gelu"`: autodiff.GELU, "null": autodiff.GELUTanh, "": autodiff.GELUTanh} {
		if m := small.with("feed_forward_proj", `"gated-gelu"`, "dense_act_fn", name).open(t, e); m.net.(*t5).Activation != want || !m.net.(*t5).Gated {
			t.Errorf("dense_act_fn %s: %+v", name, m.net.(*t5).t5Config)
		}
	}
}

// TestScaledOutputs checks when transformers scales: t5 and umt5 by scale_decoder_outputs, else tie_word_embeddings, else always; mt5 never.
// The file alone decides whether the head is tied.
func TestScaledOutputs(t *testing.T) {
	e := engine(t)
	for _, modelType := range []string{"t5", "mt5", "umt5"} {
		for _, tie := range []string{"", "null", "true", "false"} {
			for _, scale := range []string{"", "null", "true", "false"} {
				f := small.with("model_type", fmt.Sprintf("%q", modelType), "tie_word_embeddings", tie, "scale_decoder_outputs", scale)
				want := map[string]bool{"true": true, "false": false, "": tie != "false", "null": tie != "false"}[scale] && modelType != "mt5"
				s := f.source(safetensors.F32)
				for _, source := range []tensors{s, s.with(tensor("lm_head.weight", safetensors.F32, 13, 16))} {
					m, err := New(f.text(), source, e)
					if err != nil {
						t.Fatal(err)
					}
					if a := m.Architecture(); a.ScaledOutputs != want || a.TiedHead != (len(source) == len(s)) {
						t.Errorf("%s, tie_word_embeddings %q, scale_decoder_outputs %q, %d tensors: %+v", modelType, tie, scale, len(source), a)
					}
				}
			}
		}
	}
}
