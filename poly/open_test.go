package poly_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/poly"
	"github.com/polytropon/polytropon/safetensors"
)

// PEFT 0.8.2 writes the tensors of the other adapter too: they are told and not used.
func TestStrangers(t *testing.T) {
	m := openBase(t, "testdata/peft-0.8/t5-mhr/base")
	a := openAdapter(t, "testdata/peft-0.8/t5-mhr/adapter", m)
	s := a.Strangers()
	if len(s) != 36 || !strings.HasSuffix(s[0], ".poly_lora_A.second") {
		t.Errorf("got %d strangers, the first %s; want 36 of the adapter second", len(s), s[0])
	}
	if n := len(a.Layers()); n != 12 {
		t.Errorf("got %d layers, want 12", n)
	}
}

func TestOpenErrors(t *testing.T) {
	m := openBase(t, example+"/base")
	const a = "base_model.model.encoder.block.1.layer.0.SelfAttention.v.poly_lora_A"
	set := func(old, new string) func(t *testing.T, f fstest.MapFS) {
		return func(t *testing.T, f fstest.MapFS) {
			text := strings.Replace(string(f["adapter_config.json"].Data), old, new, 1)
			f["adapter_config.json"] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	for _, test := range []struct {
		name   string
		change func(t *testing.T, f fstest.MapFS)
		want   []string
	}{
		{"no config", func(t *testing.T, f fstest.MapFS) { delete(f, "adapter_config.json") }, []string{"adapter_config.json"}},
		{"an endless config", func(t *testing.T, f fstest.MapFS) {
			f["adapter_config.json"] = &fstest.MapFile{Data: bytes.Repeat([]byte(" "), 1<<22+1)}
		}, []string{"adapter_config.json", "more than 4194304 bytes"}},
		{"no tensors", func(t *testing.T, f fstest.MapFS) { delete(f, "adapter_model.safetensors") }, []string{"adapter_model.safetensors"}},
		{"pickle", func(t *testing.T, f fstest.MapFS) {
			f["adapter_model.bin"] = f["adapter_model.safetensors"]
			delete(f, "adapter_model.safetensors")
		}, []string{"adapter_model.bin", "safetensors"}},
		{"a missing tensor", func(t *testing.T, f fstest.MapFS) {
			edit(t, f, func(x map[string]safetensors.Tensor) { delete(x, a) })
		}, []string{a, "missing", "[4 2 16 4]"}},
		{"another shape", func(t *testing.T, f fstest.MapFS) {
			edit(t, f, func(x map[string]safetensors.Tensor) {
				v := x[a]
				v.Shape = []int{4, 2, 4, 16}
				x[a] = v
			})
		}, []string{a, "[4 2 4 16]", "[4 2 16 4]"}},
		{"integers", func(t *testing.T, f fstest.MapFS) {
			edit(t, f, func(x map[string]safetensors.Tensor) {
				v := x[a]
				v.DType = safetensors.I32
				x[a] = v
			})
		}, []string{a, "I32"}},
		{"rank", set(`"r": 4`, `"r": 8`), []string{"poly_lora_A", "[4 2 16 4]", "[4 2 16 8]"}},
		{"tasks", set(`"n_tasks": 3`, `"n_tasks": 4`), []string{"module_logits", "[3 8]", "[4 8]"}},
		{"no rank", set(`"r": 4`, `"r": 0`), []string{"r", "0"}},
		{"splits that do not divide", set(`"n_splits": 4`, `"n_splits": 5`), []string{"n_splits", "5", "64"}},
		{"unknown targets", set(`"q"`, `"query"`), []string{}},
		{"no target", set(`"q",`, ``), []string{}},
		{"nothing matches", func(t *testing.T, f fstest.MapFS) {
			set(`"q"`, `"query"`)(t, f)
			set(`"v"`, `"value"`)(t, f)
		}, []string{"target_modules", "query", "value"}},
		{"a norm", set(`"q"`, `"layer_norm"`), []string{"target_modules", "layer_norm", "Linear"}},
		{"look-ahead", func(t *testing.T, f fstest.MapFS) {
			text := string(f["adapter_config.json"].Data)
			from, to := strings.Index(text, "["), strings.Index(text, "]")
			text = text[:from] + `"(?!decoder).*q"` + text[to+1:]
			f["adapter_config.json"] = &fstest.MapFile{Data: []byte(text)}
		}, []string{"target_modules", "look-ahead"}},
		{"LoRA", set(`"POLY"`, `"LORA"`), []string{"peft_type", "LORA"}},
		{"another poly_type", set(`"poly"`, `"moe"`), []string{"poly_type", "moe"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := folder(t, example+"/adapter")
			test.change(t, f)
			_, err := poly.OpenFS(f, m)
			if len(test.want) == 0 { // fewer targets: the other tensors belong to nobody
				if err != nil {
					t.Errorf("got %v, want no error", err)
				}
				return
			}
			if err == nil || strings.Contains(err.Error(), "\n") {
				t.Fatalf("got %v, want one line", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want it to name %q", err, want)
				}
			}
		})
	}
}

// Where the head is a target, PEFT saves the head's own weight too: it is used in the base's place, by sequences that ask for the adapter.
func TestHeadAsTarget(t *testing.T) {
	const dir = "testdata/peft-0.21/target-lm_head-tied"
	const layer = "base_model.model.lm_head"
	m := openBase(t, dir+"/base")
	logits := func(f fstest.MapFS) (adapted, bare []float32) {
		a, err := poly.OpenFS(f, m)
		if err != nil {
			t.Fatal(err)
		}
		if s := a.Strangers(); len(s) > 0 {
			t.Errorf("strangers %q, want none", s)
		}
		s := model.Sequence{InputIDs: []int{5, 6}, DecoderInputIDs: []int{0, 7}}
		with := s
		with.Adapters = []nn.Adapter{a.Task(1)}
		l, err := m.Logits(t.Context(), []model.Sequence{with, s})
		if err != nil {
			t.Fatal(err)
		}
		return l.Of(0).Data, l.Of(1).Data
	}
	f := folder(t, dir+"/adapter")
	want, bare := logits(f)
	without := folder(t, dir+"/adapter")
	edit(t, without, func(x map[string]safetensors.Tensor) { delete(x, layer+".base_layer.weight") })
	if got, _ := logits(without); !slices.Equal(got, want) {
		t.Error("without the head's weight, which is the base's: other logits")
	}
	edit(t, f, func(x map[string]safetensors.Tensor) {
		clear(x[layer+".base_layer.weight"].Data)
		clear(x[layer+".poly_lora_B"].Data)
	})
	zero, bareNow := logits(f)
	if slices.ContainsFunc(zero, func(x float32) bool { return x != 0 }) {
		t.Errorf("a head of zeros: got logits %v", zero)
	}
	if !slices.Equal(bareNow, bare) {
		t.Error("the bare base has other logits")
	}
	edit(t, f, func(x map[string]safetensors.Tensor) {
		x[layer+".base_layer.weight"] = x["base_model.model.encoder.block.0.layer.0.SelfAttention.q.poly_lora_A"]
	})
	if _, err := poly.OpenFS(f, m); err == nil || !strings.Contains(err.Error(), layer+".base_layer.weight: got shape [2 2 16 2], want [96 32]") {
		t.Errorf("another shape: got %v", err)
	}
}
