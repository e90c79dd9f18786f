package tokenizer

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
)

// prose returns lines of running text.
func prose(t testing.TB) []string {
	t.Helper()
	var lines []string
	for _, line := range recordedLines(t, "real.json")[:1] {
		for _, c := range line.Cases[:len(line.Cases)/3] {
			lines = append(lines, c.text)
		}
	}
	return lines
}

// Long texts without a place to split at take time in proportion to their length: at a squared one this would not end.
func TestLong(t *testing.T) {
	size := 1 << 18
	if testing.Short() {
		size = 1 << 16
	}
	for _, file := range vocabularyFiles {
		tok := vocabularyOf(t, file)
		for _, part := range []string{"a", "xyzzy", "日本", "😀", " ", "\n", "▁", "'", "<", "</s>", "e\u0301", "\u0301", "\xff"} {
			text := strings.Repeat(part, size/len(part))
			ids := tok.Encode(text, false)
			back := tok.Decode(ids, false)
			// A byte-level vocabulary has all of a text.
			if want := strings.ToValidUTF8(strings.ReplaceAll(text, "\xff", replacement), ""); lossless(file) && back != want {
				t.Errorf("%s: %d times %q come back as %d bytes, want %d", file, size/len(part), part, len(back), len(want))
			}
		}
	}
}

// A trie takes time in proportion to its keys, also where most of what is free lies scattered.
func TestTrieOfMany(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	last := map[string]int32{}
	var keys []trieKey
	for i := range int32(200_000) {
		key := fmt.Sprintf("%06d", i/8) + string([]byte{byte(r.Uint32())})
		keys, last[key] = append(keys, trieKey{key, i}), i
	}
	b := trieBuilder{free: 1}
	if b.build(keys); b.tried > 500*len(keys) {
		t.Errorf("got %d tried bases of %d keys", b.tried, len(keys))
	}
	trie := newTrie(keys)
	for key, want := range last {
		if got := trie.get([]byte(key)); got != want {
			t.Fatalf("%q: got %d, want %d", key, got, want)
		}
	}
}

// lossless reports whether decoding gives back a text.
func lossless(file string) bool {
	return file == "gpt2-tokenizer.json" || file == "qwen2-tokenizer.json"
}

// One Tokenizer serves many goroutines.
func TestConcurrent(t *testing.T) {
	lines := prose(t)
	for _, file := range vocabularyFiles {
		tok := vocabularyOf(t, file)
		var want [][]int
		for _, line := range lines {
			want = append(want, tok.Encode(line, true))
		}
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for i, line := range lines {
					got := tok.Encode(line, true)
					if !slices.Equal(got, want[i]) {
						t.Errorf("%s: got %v, want %v", file, got, want[i])
					}
					tok.Decode(got, true)
				}
			})
		}
		wg.Wait()
	}
}

func BenchmarkEncode(b *testing.B) {
	lines := prose(b)
	size := 0
	for _, line := range lines {
		size += len(line)
	}
	for _, file := range vocabularyFiles {
		tok := vocabularyOf(b, file)
		b.Run(file, func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			var ids []int
			for b.Loop() {
				for _, line := range lines {
					ids = tok.AppendEncode(ids[:0], line, true)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	text := strings.Join(prose(b), "\n")
	for _, file := range vocabularyFiles {
		tok := vocabularyOf(b, file)
		ids := tok.Encode(text, true)
		b.Run(file, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				tok.Decode(ids, true)
			}
		})
	}
}

// Numbers of up to 32 bits mean what they say also where an int has no more than that.
func TestLargestNumbers(t *testing.T) {
	tok := parse(t, tiny(t, map[string]string{
		"model":   `{"type": "WordPiece", "vocab": {"a": 0, "##b": 1}, "unk_token": "a", "continuing_subword_prefix": "##", "max_input_chars_per_word": 4294967295}`,
		"decoder": `{"type": "Strip", "content": "#", "start": 4294967295, "stop": 0}`,
	}))
	if ids := tok.Encode("ab", false); !slices.Equal(ids, []int{0, 1}) {
		t.Errorf("got %v, want 0 1", ids)
	}
	if text := tok.Decode([]int{0, 1}, false); text != "ab" {
		t.Errorf("got %q, want ab", text)
	}
}
