package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/polytropon/polytropon/generate"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/poly"
)

// letterFolder copies the base model of an example and gives it a tokenizer whose tokens after <unk> are letters; what is over becomes numbered tokens.
func letterFolder(t *testing.T, base string) string {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(base)); err != nil {
		t.Fatal(err)
	}
	vocabulary := []any{[]any{"<unk>", 0.0}}
	for c := 'a'; c <= 'z'; c++ {
		vocabulary = append(vocabulary, []any{string(c), -1.0})
	}
	for i := len(vocabulary); i < 256; i++ {
		vocabulary = append(vocabulary, []any{fmt.Sprintf("[%d]", i), -9.0})
	}
	data, err := json.Marshal(map[string]any{
		"version": "1.0", "added_tokens": []any{},
		"model": map[string]any{"type": "Unigram", "unk_id": 0, "byte_fallback": false, "vocab": vocabulary},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tokenizer.json"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestGenerate(t *testing.T) {
	dir, adapter := letterFolder(t, "testdata/t5-mhr/base"), "testdata/t5-mhr/adapter"
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	m, err := model.Open(dir, e)
	if err != nil {
		t.Fatal(err)
	}
	a, err := poly.Open(adapter, m)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"generate", "-model", dir, "-prompt", "hello", "-max-new-tokens", "6"}
	for _, test := range []struct {
		args     []string
		adapters []nn.Adapter
	}{
		{nil, nil},
		{[]string{"-drafts=false"}, nil},
		{[]string{"-adapter", adapter}, []nn.Adapter{a.Task(0)}},
		{[]string{"-adapter", adapter, "-task", "2"}, []nn.Adapter{a.Task(2)}},
	} {
		want, err := m.Generate(t.Context(), []model.Request{{InputIDs: []int{8, 5, 12, 12, 15}, Adapters: test.adapters}}, generate.Greedy(6))
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := run(t.Context(), slices.Concat(args, test.args, []string{"-ids"}), &out); err != nil {
			t.Fatal(err)
		}
		var got []int
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || !slices.Equal(got, want[0].IDs) {
			t.Errorf("%v: got %s (%v), want %v", test.args, out.String(), err, want[0].IDs)
		}
		out.Reset()
		if err := run(t.Context(), slices.Concat(args, test.args), &out); err != nil {
			t.Fatal(err)
		}
		text, err := openText(os.DirFS(dir))
		if err != nil {
			t.Fatal(err)
		}
		rest, ok := strings.CutPrefix(out.String(), text.Decode(want[0].IDs, true))
		rates := `^\n\nprefill 5 tokens, [0-9.]+ tokens/s`
		if n := len(want[0].IDs) - 1; n > 0 { // the first comes from the prompt
			rates += fmt.Sprintf(`; decode %d tokens, [0-9.]+ tokens/s`, n)
		}
		if !ok || !regexp.MustCompile(rates+`\n$`).MatchString(rest) {
			t.Errorf("%v: got %q", test.args, out.String())
		}
	}
}

// A folder's tokenizer.json comes before a SentencePiece model, to whose ids the special tokens are added that transformers adds.
func TestOpenText(t *testing.T) {
	field := func(number byte, text string) string { return string([]byte{number<<3 | 2, byte(len(text))}) + text }
	var sentencePiece string
	for i, kind := range []byte{2, 3, 3, 1, 1} { // unknown, control, normal
		sentencePiece += field(1, field(1, []string{"<unk>", "<s>", "</s>", "▁a", "b"}[i])+string([]byte{3 << 3, kind}))
	}
	tokenizer, err := os.ReadFile(exampleTokenizer)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		files   []string
		prompt  string
		encoder bool
		want    []int
	}{
		{[]string{"spiece.model"}, "ab", true, []int{3, 4, 2}},
		{[]string{"tokenizer.model"}, "ab", false, []int{1, 3, 4}},
		{[]string{"tokenizer.model", "tokenizer.json"}, "good", false, []int{3, 0}},
	} {
		folder := fstest.MapFS{}
		for _, name := range test.files {
			folder[name] = &fstest.MapFile{Data: []byte(sentencePiece)}
		}
		if _, ok := folder["tokenizer.json"]; ok {
			folder["tokenizer.json"].Data = tokenizer
		}
		text, err := openText(folder)
		if err != nil {
			t.Fatal(err)
		}
		if got := text.encode(test.prompt, test.encoder); !slices.Equal(got, test.want) {
			t.Errorf("%q: got %v, want %v", test.files, got, test.want)
		}
	}
	if _, err := openText(fstest.MapFS{"tokenizer.json": {Data: []byte("{")}}); err == nil || !strings.Contains(err.Error(), "tokenizer.json") {
		t.Errorf("got %v, want an error about tokenizer.json", err)
	}
}

func TestGenerateErrors(t *testing.T) {
	dir := letterFolder(t, "testdata/t5-mhr/base")
	adapter := "testdata/t5-mhr/adapter"
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"generate"}, "needs -model and -prompt"},
		{[]string{"generate", "-model", dir}, "needs -model and -prompt"},
		{[]string{"generate", "-model", dir, "-prompt", ""}, "-prompt: got an empty text"},
		{[]string{"generate", "-model", "testdata/t5-mhr/base", "-prompt", "a"}, "tokenizer.json"},
		{[]string{"generate", "-model", dir, "-prompt", "a", "-adapter", adapter, "-task", "3"}, "task id: got 3"},
		{[]string{"generate", "-model", dir, "-prompt", "a", "-task", "0"}, "-task is of an -adapter"},
		{[]string{"generate", "-model", dir, "-prompt", "a", "-max-new-tokens", "0"}, "-max-new-tokens: got 0"},
		{[]string{"generate", "-model", dir, "-prompt", "a", "-adapter", adapter, "-task", "-1"}, "task id: got -1"},
	} {
		err := run(t.Context(), test.args, &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v: got %v, want one line with %q", test.args, err, test.want)
		}
	}
}
