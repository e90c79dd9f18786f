package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestInspect(t *testing.T) {
	for _, test := range []struct {
		path string
		want []string
	}{
		{"testdata/t5-mhr/base/model.safetensors", []string{
			"encoder.block.0.layer.0.SelfAttention.q.weight  ", "F32    [64 64]", "52 tensors, 230400 parameters, 921600 bytes", `metadata "format": "pt"`}},
		{"testdata/t5-mhr/base", []string{"t5, encoder-decoder", "2 encoder, 2 decoder", "4 of 16", "gated-gelu", "of its own", "230400"}},
		{"../../poly/testdata/peft-0.21/t5v1-mhr/base", []string{"relu", "tied to the embedding, outputs scaled", "181248"}},
		{"../../poly/testdata/peft-0.21/sharded/base", []string{"t5, encoder-decoder"}},
		{"../../poly/testdata/peft-0.21/qwen2/base", []string{"qwen2, decoder-only", "4 of 8, 1 of keys and values", "gated-silu", "linear", "4, in 1 of 2 layers",
			"of its own"}},
		{"../../poly/testdata/peft-0.21/llama-rope/adapter", []string{"4 adapted modules", "  model.layers.0.self_attn.q_proj\n"}},
		{"../../poly/testdata/peft-0.8/t5-mhr/adapter", []string{
			`"n_skills": 2`, "12 adapted modules", "  encoder.block.0.layer.0.SelfAttention.q\n", "12576 parameters in 36 tensors",
			"36 tensors that belong to nobody", "k.poly_lora_A.second", "skill 1"}},
		{"../../poly/testdata/peft-0.21/mts-lm_head-tied/adapter", []string{"1 tensors of modules_to_save"}},
	} {
		var out bytes.Buffer
		if err := run(t.Context(), []string{"inspect", test.path}, &out); err != nil {
			t.Errorf("%s: %v", test.path, err)
		}
		for _, want := range test.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: no %q in\n%s", test.path, want, out.String())
			}
		}
	}
}

// The weights of a task's split sum to one.
func TestInspectWeights(t *testing.T) {
	var out bytes.Buffer
	args := []string{"inspect", "-layer", "encoder.block.0.layer.0.SelfAttention.q", "testdata/t5-mhr/adapter"}
	if err := run(t.Context(), args, &out); err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(out.String(), "weights of the skills, encoder.block.0.layer.0.SelfAttention.q\n")
	if lines := strings.Count(table, "\n"); lines != 1+3*4 {
		t.Errorf("got %d lines, want a head and 3 tasks × 4 splits:\n%s", lines, table)
	}
}

// Without an adapter there are no weights to show.
func TestInspectLayerOfNoAdapter(t *testing.T) {
	for _, path := range []string{"testdata/t5-mhr/base", "testdata/t5-mhr/base/model.safetensors"} {
		if err := run(t.Context(), []string{"inspect", "-layer", "lm_head", path}, &bytes.Buffer{}); !errors.As(err, new(usageError)) {
			t.Errorf("%s: got %v, want a usage error", path, err)
		}
	}
}

// Names and words of a file do not reach a terminal as they are.
func TestInspectEscapes(t *testing.T) {
	for _, test := range []struct{ folder, config, old, new, want string }{
		{"adapter", "adapter_config.json", "{", `{"red\u001b[31m": 1, `, `unknown keys in the config: "red\x1b[31m"`},
		{"base", "config.json", `"feed_forward_proj": "gated-gelu"`, `"feed_forward_proj": "gated-red\u001b[31m"`, `"gated-red\x1b[31m"`},
	} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata/t5-mhr", test.folder))); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, test.config)
		config, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, bytes.Replace(config, []byte(test.old), []byte(test.new), 1), 0o666); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := run(t.Context(), []string{"inspect", dir}, &out); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), test.want) || strings.Contains(out.String(), "\x1b") {
			t.Errorf("got %q, want %s", out.String(), test.want)
		}
	}
}

func TestInspectErrors(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file("empty/README.md", "")
	file("config/config.json", "{")
	file("bare/config.json", `{"model_type": "bert"}`)
	file("adapter/adapter_config.json", `{"peft_type": "LORA"}`)
	file("pickle/adapter_config.json", `{"peft_type": "POLY"}`)
	file("pickle/adapter_model.bin", "PK")
	for _, test := range []struct{ path, want string }{
		{filepath.Join(dir, "none"), "none"},
		{file("short.safetensors", "1234"), filepath.Join(dir, "short.safetensors")},
		{file("long.safetensors", "\xff\xff\xff\xff\xff\xff\xff\x7f{}"), "long.safetensors"},
		{filepath.Join(dir, "empty"), "adapter_config.json"},
		{filepath.Join(dir, "config"), "config.json"},
		{filepath.Join(dir, "bare"), "bert"},
		{filepath.Join(dir, "adapter"), "LORA"},
		{filepath.Join(dir, "pickle"), "safetensors"},
	} {
		var out bytes.Buffer
		err := run(t.Context(), []string{"inspect", test.path}, &out)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want one line with %q", test.path, err, test.want)
		}
	}
}
