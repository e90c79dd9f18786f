package model

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
)

func TestLlamaConfigErrorsNameTheField(t *testing.T) {
	const size = "an integer from 1 to 2147483647"
	type wrong struct{ value, want string }
	integers := []wrong{{"0", size}, {"-1", size}, {"2147483648", size}, {"7.5", size}, {`"7"`, size}, {"true", size}, {"[7]", size}}
	booleans := []wrong{{"0", "true or false"}, {`"true"`, "true or false"}}
	layers := `a list of 2 times "full_attention" or "sliding_attention"`
	padding := "null or a token id below vocab_size, 13"
	for _, group := range []struct {
		modelType string
		cases     map[string][]wrong
	}{
		{"llama", map[string][]wrong{
			"vocab_size": integers, "hidden_size": integers, "intermediate_size": integers, "num_attention_heads": integers,
			"num_hidden_layers": append([]wrong{{"65537", "at most 65536"}}, integers...),
			"num_key_value_heads": append([]wrong{{"3", "a divisor of num_attention_heads, 4"}, {"8", "a divisor of num_attention_heads, 4"}},
				integers...),
			"head_dim":       append([]wrong{{"5", "an even head size, which is 5"}}, integers...),
			"rms_norm_eps":   {{"0", "a positive number that float32 holds"}, {`"1e-6"`, "a positive number that float32 holds"}},
			"hidden_act":     {{`"gelu"`, `one of ["silu"]`}, {"4", "a string"}},
			"pad_token_id":   {{"13", padding}, {"-14", padding}, {"1.5", padding}, {"[1]", padding}},
			"attention_bias": booleans, "mlp_bias": booleans, "tie_word_embeddings": booleans,
			"rope_theta":      {{"0", "a positive number that float32 holds"}, {"1e-60", "a positive number that float32 holds"}},
			"rope_parameters": {{"7", "an object"}},
		}},
		{"mistral", map[string][]wrong{"sliding_window": integers, "attention_bias": booleans}},
		{"qwen2", map[string][]wrong{"use_sliding_window": booleans}},
	} {
		f := smallLlama.with("model_type", fmt.Sprintf("%q", group.modelType))
		for name, cases := range group.cases {
			for _, c := range cases {
				fails(t, f.with(name, c.value).text(), tensors{}, fmt.Sprintf("model: config.json: field %s: got %s, want %s", name, c.value, c.want))
			}
		}
	}
	windows := smallLlama.with("model_type", `"qwen3"`, "use_sliding_window", "true")
	for _, value := range []string{`["full_attention"]`, `["full_attention", "x"]`, "4", `"full_attention"`} {
		fails(t, windows.with("layer_types", value).text(), tensors{}, "model: config.json: field layer_types: got "+value+", want "+layers)
	}
	fails(t, windows.with("max_window_layers", "-1").text(), tensors{}, "model: config.json: field max_window_layers: got -1, want "+size)
	fails(t, windows.with("sliding_window", "0").text(), tensors{}, "model: config.json: field sliding_window: got 0, want "+size)
	for _, name := range []string{"vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"} {
		fails(t, smallLlama.with(name, "").text(), tensors{}, "model: config.json: field "+name+": got nothing, want a positive integer")
	}
	fails(t, smallLlama.with("num_attention_heads", "3").text(), tensors{},
		"model: config.json: field head_dim: got nothing, want a head size, as hidden_size 16 is no multiple of num_attention_heads 3")
	fails(t, smallLlama.with("num_attention_heads", "65536", "head_dim", "65536").text(), tensors{},
		"model: config.json: field num_attention_heads: got 65536, want at most 32767 of size 65536")
	fails(t, smallLlama.with("hidden_size", "12").text(), tensors{},
		"model: config.json: field head_dim: got nothing, want an even head size, which is 3")
}

func TestLlamaConfigDefaults(t *testing.T) {
	optional := []string{"num_key_value_heads", "head_dim", "rms_norm_eps", "tie_word_embeddings", "hidden_act", "attention_bias", "mlp_bias",
		"rope_theta", "rope_scaling", "rope_parameters", "pad_token_id", "use_sliding_window"}
	for _, modelType := range llamaTypes {
		want := llamaConfig{
			Type: modelType, Vocabulary: 13, Dim: 16, Inner: 24, Layers: 2, Heads: 4, KVHeads: 4, HeadSize: 4, Epsilon: 1e-6, Padding: -1,
			InputBias: modelType == "qwen2", HeadNorms: modelType == "qwen3", Windows: []int{0, 0}, Rope: ropeConfig{Type: "default", Theta: 10000},
		}
		if modelType == "mistral" {
			want.Windows = []int{4096, 4096}
		}
		absent := smallLlama.with("model_type", fmt.Sprintf("%q", modelType))
		null := absent.with()
		for _, name := range optional {
			null[name] = "null"
		}
		for _, f := range []fields{absent, null} {
			got, err := readConfig(f.text())
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, %v, want %+v", got, err, want)
			}
		}
	}
}

// TestLlamaConfigOfBothWriters checks that what transformers 4 and 5 write for the same model is read as the same.
func TestLlamaConfigOfBothWriters(t *testing.T) {
	for _, c := range []struct{ four, five fields }{
		{smallLlama.with("rope_theta", "500.0", "rope_scaling", "null", "torch_dtype", `"float16"`),
			smallLlama.with("rope_parameters", `{"rope_theta": 500.0, "rope_type": "default"}`, "head_dim", "4", "dtype", `"float16"`)},
		{smallLlama.with("rope_scaling", `{"type": "linear", "factor": 2.0}`),
			smallLlama.with("rope_parameters", `{"rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0}`)},
		{smallLlama.with("rope_theta", "5e5", "max_position_embeddings", "99", "rope_scaling",
			`{"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}`),
			smallLlama.with("max_position_embeddings", "99", "rope_parameters", `{"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
				"high_freq_factor": 4.0, "original_max_position_embeddings": 99, "rope_theta": 500000.0}`)},
		{smallLlama.with("rope_theta", "5e5", "rope_scaling", `{"type": "yarn", "factor": 8.0, "original_max_position_embeddings": 64}`),
			smallLlama.with("rope_parameters", `{"rope_type": "yarn", "type": "yarn", "factor": 8.0, "rope_theta": 5e5, "beta_slow": null, "truncate": true,
				"original_max_position_embeddings": 64}`)},
	} {
		four, err := readConfig(c.four.text())
		if err != nil {
			t.Fatal(err)
		}
		five, err := readConfig(c.five.text())
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(four, five) {
			t.Errorf("%s: %+v, %s: %+v", c.four.text(), four, c.five.text(), five)
		}
	}
}

func TestLlamaConfigFieldsAreUsed(t *testing.T) {
	three := smallLlama.with("num_hidden_layers", "3")
	mistral := three.with("model_type", `"mistral"`)
	qwen := three.with("model_type", `"qwen2"`, "use_sliding_window", "true", "sliding_window", "7")
	for _, c := range []struct {
		f    fields
		want []int
	}{
		{three.with("sliding_window", "5"), []int{0, 0, 0}},
		{mistral.with("sliding_window", "5"), []int{5, 5, 5}},
		{mistral.with("sliding_window", "null"), []int{0, 0, 0}},
		{mistral, []int{4096, 4096, 4096}},
		{mistral.with("sliding_window", "5", "layer_types", `["full_attention", "sliding_attention", "full_attention"]`), []int{0, 5, 0}},
		{qwen.with("use_sliding_window", "false"), []int{0, 0, 0}},
		{qwen.with("use_sliding_window", ""), []int{0, 0, 0}},
		{qwen.with("use_sliding_window", "false", "layer_types", `["sliding_attention", "full_attention", "full_attention"]`), []int{0, 0, 0}},
		{qwen, []int{0, 0, 0}}, // max_window_layers is 28
		{qwen.with("max_window_layers", "2"), []int{0, 0, 7}},
		{qwen.with("max_window_layers", "0"), []int{7, 7, 7}},
		{qwen.with("max_window_layers", "0", "sliding_window", "null"), []int{0, 0, 0}},
		{qwen.with("max_window_layers", "0", "sliding_window", ""), []int{4096, 4096, 4096}},
		{qwen.with("layer_types", `["sliding_attention", "full_attention", "sliding_attention"]`), []int{7, 0, 7}},
	} {
		got, err := readConfig(c.f.text())
		if err != nil || !slices.Equal(got.(llamaConfig).Windows, c.want) {
			t.Errorf("%s: got %v, %v, want %v", c.f.text(), got, err, c.want)
		}
	}
	for _, c := range []struct {
		f                   fields
		input, output, feed bool
	}{
		{three.with("attention_bias", "true"), true, true, false},
		{three.with("mlp_bias", "true"), false, false, true},
		{mistral.with("attention_bias", "true", "mlp_bias", "true"), true, true, false},
		{qwen.with("attention_bias", "true", "mlp_bias", "true"), true, false, false},
		{qwen.with("attention_bias", "false"), true, false, false},
	} {
		got, err := readConfig(c.f.text())
		if l := got.(llamaConfig); err != nil || l.InputBias != c.input || l.OutputBias != c.output || l.FeedBias != c.feed {
			t.Errorf("%s: got %+v, %v", c.f.text(), l, err)
		}
	}
	for value, want := range map[string]int{"null": -1, "": -1, "0": 0, "12": 12, "-1": 12, "-13": 0} {
		got, err := readConfig(smallLlama.with("pad_token_id", value).text())
		if l := got.(llamaConfig); err != nil || l.Padding != want {
			t.Errorf("pad_token_id %s: got %d, %v, want %d", value, l.Padding, err, want)
		}
	}
}

func TestLlamaArchitecture(t *testing.T) {
	e := engine(t)
	m := smallLlama.with("model_type", `"qwen3"`, "num_key_value_heads", "2", "head_dim", "6", "tie_word_embeddings", "true", "use_sliding_window", "true",
		"sliding_window", "9", "max_window_layers", "1", "max_position_embeddings", "99", "rope_scaling", `{"type": "linear", "factor": 2}`).openLlama(t, e)
	want := Architecture{Type: "qwen3", Vocabulary: 13, Dim: 16, Inner: 24, Heads: 4, KVHeads: 2, HeadSize: 6, DecoderLayers: 2, FeedForward: "gated-silu",
		Rope: "linear", MaxPositions: 99, Window: 9, WindowLayers: 1, TiedHead: true}
	want.Parameters = 13*16 + 16 + 2*(2*24*16+2*12*16+2*6+3*24*16+2*16)
	if got := m.Architecture(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if m.Type() != "qwen3" || m.Vocabulary() != 13 || m.Engine() != e {
		t.Errorf("%s, %d, %p", m.Type(), m.Vocabulary(), m.Engine())
	}
	if n := smallLlama.openLlama(t, e).Architecture().Parameters; n != 2*13*16+16+2*(4*16*16+3*24*16+2*16) {
		t.Errorf("untied: %d parameters", n)
	}
}
