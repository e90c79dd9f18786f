package tokenizer

import (
	"bufio"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"unicode/utf8"
)

// A recorded line has a vocabulary and what the Python package made of texts with it (testdata/record.py).
type recorded struct {
	Tokenizer json.RawMessage `json:"tokenizer"`
	Model     string          `json:"model"`
	File      string          `json:"file"`
	Cases     []recordedCase  `json:"cases"`
}

// A recordedCase is a text, its ids with and without special tokens, other ids, and their text without and with special tokens.
type recordedCase struct {
	text            string
	special, plain  []int
	ids             []int
	skipped, decode string
}

func (c *recordedCase) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&c.text, &c.special, &c.plain, &c.ids, &c.skipped, &c.decode})
}

// unzip reads a file of testdata.
func unzip(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open("testdata/" + name + ".gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(bufio.NewReader(f))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// recordedLines reads a recorded file.
func recordedLines(t testing.TB, name string) (lines []recorded) {
	t.Helper()
	for line := range strings.Lines(string(unzip(t, name))) {
		var r recorded
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		// Texts for SentencePiece need not be UTF-8.
		if r.Model != "" || strings.HasSuffix(r.File, ".model") {
			for i := range r.Cases {
				r.Cases[i].text = string(unbase64(t, r.Cases[i].text))
			}
		}
		lines = append(lines, r)
	}
	return lines
}

func unbase64(t testing.TB, s string) []byte {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func parse(t testing.TB, data []byte) *Tokenizer {
	t.Helper()
	tok, err := OpenFS(fstest.MapFS{"file": {Data: data}}, "file")
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

var (
	vocabularyFiles = []string{"t5-tokenizer.json", "bert-tokenizer.json", "gpt2-tokenizer.json", "qwen2-tokenizer.json", "t5-spiece.model"}
	opened          sync.Map // vocabularies by file
)

// vocabularyOf opens a vocabulary of testdata, once.
func vocabularyOf(t testing.TB, file string) *Tokenizer {
	t.Helper()
	tok, ok := opened.Load(file)
	if !ok {
		tok, _ = opened.LoadOrStore(file, parse(t, unzip(t, file)))
	}
	return tok.(*Tokenizer)
}

// TestRecorded compares with what the Python packages make of texts, with vocabularies and settings drawn at random and with real
// vocabularies.
func TestRecorded(t *testing.T) {
	for _, name := range []string{"components.json", "models.json", "real.json"} {
		for i, line := range recordedLines(t, name) {
			var tok *Tokenizer
			switch {
			case line.File != "":
				tok = vocabularyOf(t, line.File)
			case line.Model != "":
				tok = parse(t, unbase64(t, line.Model))
			default:
				tok = parse(t, line.Tokenizer)
			}
			for _, c := range line.Cases {
				if !c.check(t, tok) {
					t.Errorf("%s, line %d: %q\n%s", name, i+1, c.text, settings(line.Tokenizer))
					break
				}
			}
		}
	}
}

// settings returns a tokenizer.json without its vocabulary.
func settings(file json.RawMessage) []byte {
	var all map[string]any
	json.Unmarshal(file, &all)
	if model, ok := all["model"].(map[string]any); ok {
		delete(model, "vocab")
		delete(model, "merges")
	}
	out, _ := json.Marshal(all)
	return out
}

// check compares one case, decoding also id by id.
func (c recordedCase) check(t *testing.T, tok *Tokenizer) bool {
	t.Helper()
	ok := true
	for special, want := range map[bool][]int{true: c.special, false: c.plain} {
		if got := tok.Encode(c.text, special); !slices.Equal(got, want) {
			t.Errorf("Encode(…, %v): got %v, want %v", special, got, want)
			ok = false
		}
	}
	for skip, want := range map[bool]string{true: c.skipped, false: c.decode} {
		if got := tok.Decode(c.ids, skip); got != want {
			t.Errorf("Decode(%v, %v): got %q, want %q", c.ids, skip, got, want)
			ok = false
		}
		if got := streamed(t, tok, c.ids, skip); got != want {
			t.Errorf("Decoder, %v, %v: got %q, want %q", c.ids, skip, got, want)
			ok = false
		}
	}
	return ok
}

// streamed decodes id by id and checks that each part is whole characters.
func streamed(t *testing.T, tok *Tokenizer, ids []int, skip bool) string {
	t.Helper()
	d := tok.NewDecoder(skip)
	var all strings.Builder
	for i, id := range ids {
		part := d.Next(id)
		if !utf8.ValidString(part) {
			t.Errorf("Decoder: got %q after %v", part, ids[:i+1])
		}
		all.WriteString(part)
	}
	all.WriteString(d.End())
	return all.String()
}

// The tokens that a Tokenizer names are those of the file.
func TestTokens(t *testing.T) {
	var file struct {
		Model struct{ Vocab map[string]int }
	}
	if err := json.Unmarshal(unzip(t, "gpt2-tokenizer.json"), &file); err != nil {
		t.Fatal(err)
	}
	tok := vocabularyOf(t, "gpt2-tokenizer.json")
	if got, want := tok.Size(), len(file.Model.Vocab); got != want {
		t.Errorf("Size: got %d, want %d", got, want)
	}
	for _, token := range slices.Sorted(maps.Keys(file.Model.Vocab)) {
		id := file.Model.Vocab[token]
		if got, ok := tok.Token(id); !ok || got != token {
			t.Errorf("Token(%d): got %q, want %q", id, got, token)
		}
		if got, ok := tok.ID(token); !ok || got != id {
			t.Errorf("ID(%q): got %d, want %d", token, got, id)
		}
	}
	for _, file := range vocabularyFiles {
		tok := vocabularyOf(t, file)
		if _, ok := tok.Token(-1); ok {
			t.Errorf("%s has a token -1", file)
		}
		if _, ok := tok.Token(1 << 30); ok {
			t.Errorf("%s has a token 1<<30", file)
		}
		if _, ok := tok.ID("no such token"); ok {
			t.Errorf("%s has a token of several words", file)
		}
	}
}
