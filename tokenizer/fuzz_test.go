package tokenizer

import (
	"slices"
	"testing"
	"testing/fstest"
	"unicode/utf8"
)

// FuzzOpen opens whatever it is given, and encodes and decodes with what could be opened.
func FuzzOpen(f *testing.F) {
	for _, fields := range []map[string]string{
		{},
		{"normalizer": `{"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true}`,
			"pre_tokenizer": `{"type": "BertPreTokenizer"}`, "decoder": `{"type": "WordPiece", "prefix": "##", "cleanup": true}`,
			"model": `{"type": "WordPiece", "vocab": {"a": 0, "##b": 1}, "unk_token": "a", "continuing_subword_prefix": "##", "max_input_chars_per_word": 9}`},
		{"pre_tokenizer": `{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": true}`,
			"decoder": `{"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 1}]}`,
			"model":   `{"type": "Unigram", "vocab": [["<unk>", 0], ["▁a", -1.5], ["<0x62>", -2]], "unk_id": 0, "byte_fallback": true}`},
		{"pre_tokenizer": `{"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true}`, "decoder": `{"type": "ByteLevel"}`,
			"added_tokens": `[{"id": 3, "content": "<x>", "single_word": true, "lstrip": true, "rstrip": true, "normalized": true, "special": true}]`},
		{"pre_tokenizer": `{"type": "Split", "pattern": {"Regex": "\\p{L}+|\\d{1,3}"}, "behavior": "MergedWithNext", "invert": true}`,
			"normalizer": `{"type": "Replace", "pattern": {"Regex": "[ab]+"}, "content": "x"}`},
	} {
		f.Add(tiny(f, fields), "a b\u0301<x> \xff日本")
	}
	f.Add([]byte(spPieceOf("<unk>", spUnknown)+spPieceOf("▁a", spNormal)+spPieceOf("b", spUser)), "a b")
	f.Add([]byte(spPieceOf("<unk>", spUnknown)+spPieceOf("ab", spUnused)+field(2, "\x18\x02")), "ab b")
	f.Fuzz(func(t *testing.T, file []byte, text string) {
		tok, err := OpenFS(fstest.MapFS{"file": {Data: file}}, "file")
		if err != nil {
			return
		}
		checkText(t, tok, text)
		var all []int
		for id := -1; id < 300; id++ {
			all = append(all, id)
		}
		if got, want := streamed(t, tok, all, true), tok.Decode(all, true); got != want {
			t.Errorf("got %q id by id, want %q", got, want)
		}
	})
}

// FuzzEncode encodes text with real vocabularies.
func FuzzEncode(f *testing.F) {
	for _, text := range []string{"", "Hello, world!", " I've 123  things\r\n\n", "é e\u0301 ﬁ ① 한국 日本語 🤗👩‍👩‍👧", "a\u0000b\ufffd\ufeff\xe2\x82", "</s><pad>[SEP]<|endoftext|> x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, file := range vocabularyFiles {
			tok := vocabularyOf(t, file)
			ids := checkText(t, tok, text)
			if want := string(appendValid(nil, text)); lossless(file) {
				if got := tok.Decode(ids, false); got != want {
					t.Errorf("%s: got %q back, want %q", file, got, want)
				}
			}
		}
	})
}

// checkText encodes a text and checks what holds for all texts and vocabularies. It returns the ids without special tokens.
func checkText(t *testing.T, tok *Tokenizer, text string) []int {
	ids := tok.Encode(text, false)
	special := tok.Encode(text, true)
	if len(special) < len(ids) {
		t.Errorf("%q: got %d ids with special tokens, %d without", text, len(special), len(ids))
	}
	if got := tok.AppendEncode([]int{-1}, text, false); got[0] != -1 || !slices.Equal(got[1:], ids) {
		t.Errorf("%q: got %v appended, want %v", text, got, ids)
	}
	for _, id := range ids {
		if _, ok := tok.Token(id); !ok {
			t.Errorf("%q: got the id %d, which has no token", text, id)
		}
	}
	decoded := tok.Decode(ids, false)
	if !utf8.ValidString(decoded) {
		t.Errorf("%q: got %q back, want UTF-8", text, decoded)
	}
	if got := streamed(t, tok, ids, false); got != decoded {
		t.Errorf("%q: got %q back id by id, want %q", text, got, decoded)
	}
	// Broken text is what it is with its broken parts replaced.
	if _, ok := tok.codec.(*pipeline); ok {
		if got := tok.Encode(string(appendValid(nil, text)), false); !slices.Equal(got, ids) {
			t.Errorf("%q: got %v, want %v as for valid text", text, ids, got)
		}
	}
	return ids
}
