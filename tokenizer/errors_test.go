package tokenizer

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"
)

// tiny is a tokenizer.json with some of its fields replaced.
func tiny(t testing.TB, fields map[string]string) []byte {
	t.Helper()
	all := map[string]json.RawMessage{
		"version": json.RawMessage(`"1.0"`),
		"model":   json.RawMessage(`{"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]}`),
	}
	for key, value := range fields {
		all[key] = json.RawMessage(value)
	}
	data, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Whatever is invalid or not supported is an error that names the file and the field.
func TestFormatErrors(t *testing.T) {
	bpe := func(more string) string {
		return `{"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]` + more + `}`
	}
	unigram := func(vocab, more string) string {
		return `{"type": "Unigram", "vocab": [` + vocab + `]` + more + `}`
	}
	const split = `{"type": "Split", "pattern": %s, "behavior": "Isolated", "invert": false}`
	for _, test := range []struct{ key, value, want string }{
		{"version", `"2.0"`, `version: got "2.0", want "1.0"`},
		{"extra", `1`, `extra: not supported`},
		{"truncation", `{"max_length": -1}`, `truncation.max_length: got -1`},
		{"padding", `{"strategy": "BatchLongest"}`, `padding.direction: missing`},
		{"normalizer", `{"type": "Wordy"}`, `normalizer.type: got "Wordy", which is not supported`},
		{"normalizer", `{}`, `normalizer.type: missing`},
		{"normalizer", `[]`, `normalizer: got [], want an object`},
		{"normalizer", `{"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "ByteLevel"}]}`, `normalizer.normalizers[1].type: got "ByteLevel"`},
		{"normalizer", strings.Repeat(`{"type": "Sequence", "normalizers": [`, 2000) + strings.Repeat(`]}`, 2000), `got more than 62 lists within each other`},
		{"normalizer", `{"type": "Strip", "strip_left": true}`, `normalizer.strip_right: missing`},
		{"normalizer", `{"type": "Precompiled", "precompiled_charsmap": "AAA="}`, `normalizer.precompiled_charsmap: got 2 bytes`},
		{"normalizer", `{"type": "Precompiled", "precompiled_charsmap": "/////w=="}`, `got a trie of 4294967295 bytes`},
		{"normalizer", `{"type": "Replace", "pattern": {"Regex": "a(?=b)c"}, "content": ""}`, `normalizer.pattern.Regex: the regular expression "a(?=b)c": got a look-ahead, or $, that is not`},
		{"normalizer", `{"type": "Replace", "pattern": {"String": ""}, "content": ""}`, `normalizer.pattern: want a String that is not empty or a Regex`},
		{"pre_tokenizer", `{"type": "UnicodeScripts"}`, `pre_tokenizer.type: got "UnicodeScripts", which is not supported`},
		{"pre_tokenizer", `{"type": "WhitespaceSplit", "more": 1}`, `pre_tokenizer.more: not supported`},
		{"pre_tokenizer", `{"type": "Sequence", "pretokenizers": [{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true}, {"type": "WhitespaceSplit"}]}`,
			`pre_tokenizer: got a step after ByteLevel`},
		{"pre_tokenizer", `{"type": "Metaspace", "replacement": "__"}`, `pre_tokenizer.replacement: got "__", want one character`},
		{"pre_tokenizer", `{"type": "Metaspace", "replacement": "_", "prepend_scheme": "often"}`, `pre_tokenizer.prepend_scheme: got "often", want one of`},
		{"pre_tokenizer", `{"type": "Metaspace", "replacement": "_", "prepend_scheme": "always", "add_prefix_space": false}`, `pre_tokenizer.add_prefix_space`},
		{"pre_tokenizer", strings.Replace(split, "%s", `{"Regex": "\\bx"}`, 1), `the regular expression "\\bx": got \b`},
		{"pre_tokenizer", strings.Replace(split, "%s", `{"Regex": "x*"}`, 1), `it matches nothing`},
		{"pre_tokenizer", strings.Replace(split, "%s", `{"Regex": "y|x*(?=y)"}`, 1), `got an alternative that matches nothing`},
		{"pre_tokenizer", strings.Replace(split, "%s", `{"Regex": "x(?!yz)"}`, 1), `got a look-ahead, or $, that is not for one character`},
		{"pre_tokenizer", strings.Replace(split, "%s", `{"Regex": "(?:x(?!y))"}`, 1), `got the group (?!y, want (`},
		{"pre_tokenizer", strings.Replace(split, "%s", `{"Regex": "x$y"}`, 1), `got a look-ahead, or $, that is not for one character`},
		{"pre_tokenizer", strings.Replace(split, "%s", `{"Regex": "x(?=)"}`, 1), `got ')', want a character`},
		{"pre_tokenizer", strings.Replace(split, "%s", `{"Regex": "(?<=x)y"}`, 1), `got the group (?<=, want (`},
		{"pre_tokenizer", strings.Replace(split, "%s", `{"Regex": "(?i:aßa)"}`, 1), `with characters beyond ASCII`},
		{"pre_tokenizer", strings.Replace(split, "%s", `{"Regex": "(?i:aSt)"}`, 1), `for either case with st`},
		{"pre_tokenizer", strings.Replace(split, "%s", `{"Regex": "x{02}"}`, 1), `got the quantifier "" followed by "{"`},
		{"pre_tokenizer", strings.Replace(split, "%s", `{"Regex": "(?:x|y*)+"}`, 1), `got a repeated group that matches nothing`},
		{"pre_tokenizer", strings.Replace(split, "%s", `{"Regex": "(?:(?:xy){9}z){9}`+strings.Repeat(`x{999}`, 140)+`"}`, 1), `the expressions of the file have more than`},
		{"normalizer", `{"type": "Sequence", "normalizers": [` + strings.Repeat(`{"type": "Replace", "pattern": {"Regex": "\\p{L}x"}, "content": ""},`, 200) + `{}]}`,
			`normalizer.normalizers[192].pattern.Regex: the regular expression "\\p{L}x": with it, the expressions of the file have more than`},
		{"normalizer", `{"type": "Sequence", "normalizers": [` + strings.Repeat(`{"type": "NFC"},`, 1000) + `{"type": "NFC"}]}`,
			`normalizer.normalizers[1000]: got more than 1000 steps`},
		{"post_processor", `{"type": "Pairs"}`, `post_processor.type: got "Pairs", which is not supported`},
		{"post_processor", `{"type": "BertProcessing", "sep": ["a"], "cls": ["a", 0]}`, `post_processor.sep: got 1 values`},
		{"post_processor", `{"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "x", "type_id": 0}}], "pair": [], "special_tokens": {}}`,
			`post_processor.single[1]: got the special token "x"`},
		{"post_processor", `{"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x", "type_id": 0}}, {"SpecialToken": {"id": "x", "type_id": 0}}], "pair": [],
			"special_tokens": {"x": {"id": "x", "tokens": [], "ids": [0` + strings.Repeat(", 0", 500) + `]}}}`, `post_processor.single: got more than 1000 tokens around a text`},
		{"post_processor", `{"type": "TemplateProcessing", "single": [], "pair": [], "special_tokens": {}}`, `post_processor.single: got 0 sequences, want one`},
		{"decoder", `{"type": "CTC"}`, `decoder.type: got "CTC", which is not supported`},
		{"decoder", `{"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "ByteFallback"}]}`, `decoder.decoders[1].type: got "ByteFallback" after a step that joins all tokens`},
		{"model", `{"type": "WordLevel", "vocab": {}, "unk_token": "a"}`, `model.type: got "WordLevel", which is not supported`},
		{"model", `{"type": "BPE", "merges": []}`, `model.vocab: missing`},
		{"model", `{"type": "BPE", "vocab": {"a": 0, "b": 0}, "merges": []}`, `model.vocab: got the id 0 for "a" and for "b"`},
		{"model", `{"type": "BPE", "vocab": {"a": -1}, "merges": []}`, `model.vocab: got the id -1 of "a"`},
		{"model", `{"type": "BPE", "vocab": {"a": 0}, "merges": ["a b c"]}`, `model.merges: got 3 tokens in merge 0`},
		{"model", `{"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}`, `model.merges: got "b" in merge 0, want a token of the vocabulary`},
		{"model", bpe(`, "dropout": 0.5`), `model.dropout: got 0.5`},
		{"model", bpe(`, "unk_token": "c"`), `model.unk_token: got "c", want a token of the vocabulary`},
		{"model", bpe(`, "more": 1`), `model.more: not supported`},
		{"model", unigram(`["a", 0]`, ``), `model.unk_id: missing`},
		{"model", unigram(`["a", 0]`, `, "unk_id": 1`), `model.unk_id: got 1, want the id of one of 1 pieces`},
		{"model", unigram(`["a", "0"]`, `, "unk_id": 0`), `model.vocab: got something else as piece 0`},
		{"model", unigram(`["a", 1e999]`, `, "unk_id": 0`), `model.vocab: piece 0: got the number "1e999"`},
		{"model", `{"type": "WordPiece", "vocab": {"a": 0}, "unk_token": "u", "continuing_subword_prefix": "##", "max_input_chars_per_word": 9}`, `model.unk_token: got "u"`},
		{"added_tokens", `[{"id": 0, "content": "x"}]`, `added_tokens[0].single_word: missing`},
	} {
		_, err := OpenFS(fstest.MapFS{"dir/tokenizer.json": {Data: tiny(t, map[string]string{test.key: test.value})}}, "dir/tokenizer.json")
		if _, ok := errors.AsType[*FormatError](err); !ok {
			t.Errorf("%s %s: got %v, want a FormatError", test.key, test.value, err)
			continue
		}
		if got := err.Error(); !strings.HasPrefix(got, "tokenizer: dir/tokenizer.json: ") || !strings.Contains(got, test.want) {
			t.Errorf("%s %s: got %q, want %q", test.key, test.value, got, test.want)
		}
	}
	if _, err := Open("testdata/none.json"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
}

// An error is one line that a terminal can show, whatever the file holds.
func TestErrorsArePrintable(t *testing.T) {
	for _, test := range []struct{ data, want string }{
		{"{\n  \"version\": \"1.0\",\r\n", `f: got { "version": "1.0",, want an object: `},
		{"{\"a\": \"\x1b[31m\"", `f: got {"a": "�[31m", want an object: `},
		{"{\"a\xff\": 1, \"a\xfe\": 2}", `f: got text that is not UTF-8`},
		{string(tiny(t, map[string]string{"normalizer": `"` + strings.Repeat("é", 40) + `"`})), `normalizer: got "` + strings.Repeat("é", 29) + `…, want an object: `},
		{`{"model": {}, "\u001b[31m": 1}`, `f: "\x1b[31m": not supported`},
		{`{"model": {}, "` + strings.Repeat("x", 1000) + `": 1}`, `x"…: not supported`},
	} {
		_, err := OpenFS(fstest.MapFS{"f": {Data: []byte(test.data)}}, "f")
		if err == nil || !strings.Contains(err.Error(), test.want) || len(err.Error()) > 400 || strings.ContainsFunc(err.Error(), unicode.IsControl) {
			t.Errorf("%q: got %q, want %q", test.data, err, test.want)
		}
	}
}

// As many Sequences within each other as the tokenizers package reads are read.
func TestNested(t *testing.T) {
	deep := strings.Repeat(`{"type": "Sequence", "normalizers": [`, maxNested) + `{"type": "Lowercase"}` + strings.Repeat(`]}`, maxNested)
	if got := parse(t, tiny(t, map[string]string{"normalizer": deep})).Encode("A", false); len(got) != 1 || got[0] != 0 {
		t.Errorf("got %v, want [0]", got)
	}
}

// field is a field of a protocol buffer.
func field(number int, bytes string) string {
	return string(binary.AppendUvarint([]byte{byte(number<<3 | wireBytes)}, uint64(len(bytes)))) + bytes
}

// spPieceOf is a piece of a model file.
func spPieceOf(text string, kind spKind) string {
	return field(1, field(1, text)+"\x18"+string(rune(kind)))
}

func TestSentencePieceErrors(t *testing.T) {
	unknown := spPieceOf("<unk>", spUnknown)
	for name, test := range map[string]struct{ data, want string }{
		"empty":          {"", "got an empty file, want a tokenizer.json or a SentencePiece model"},
		"text":           {"no protocol buffer", "got a broken protocol buffer"},
		"cut off":        {unknown[:len(unknown)-1], "got a broken protocol buffer"},
		"no unknown":     {spPieceOf("a", spNormal), "pieces: got none of type unknown"},
		"two unknown":    {unknown + spPieceOf("b", spUnknown), "pieces[1]: got a second unknown piece, the first is 0"},
		"twice":          {unknown + spPieceOf("a", spNormal) + spPieceOf("a", spNormal), `pieces[2]: got "a", which is piece 1 too`},
		"no text":        {unknown + spPieceOf("", spNormal), `pieces[1]: got "", want UTF-8`},
		"not UTF-8":      {unknown + spPieceOf("\xff", spNormal), `pieces[1]: got "\xff", want UTF-8`},
		"kind":           {unknown + spPieceOf("a", 9), "pieces[1]: got the type 9, want 1 to 6"},
		"score":          {unknown + field(1, field(1, "a")+"\x15\x00\x00\xc0\x7f"), "pieces[1]: got the score NaN"},
		"byte":           {unknown + spPieceOf("<0x00>", spByte), `pieces[1]: got the byte piece "<0x00>"`},
		"bytes":          {unknown + field(2, "\x98\x02\x01"), "got no byte piece <0x00>"},
		"words":          {unknown + field(2, "\x18\x03"), "trainer_spec.model_type: got 3"},
		"rules":          {unknown + field(3, field(2, "abc")), "normalizer_spec.precompiled_charsmap: got 3 bytes"},
		"rules cut off":  {unknown + field(3, field(2, "\x08\x00\x00\x00abcd")), "precompiled_charsmap: got a trie of 8 bytes within 4"},
		"half a unit":    {unknown + field(3, field(2, "\x02\x00\x00\x00abcd")), "precompiled_charsmap: got a trie of 2 bytes within 4"},
		"no trie":        {unknown + field(3, field(2, "\x00\x00\x00\x00")), "precompiled_charsmap: got normalisation rules without a trie"},
		"no UTF-8":       {unknown + field(3, field(2, "\x04\x00\x00\x00\x00\x00\x00\x00\xff")), "with texts that are not UTF-8"},
		"denormalizer":   {unknown + field(5, field(2, "abc")), "denormalizer_spec: not supported"},
		"number as text": {unknown + field(2, field(24, "x")), ""},
	} {
		_, err := OpenFS(fstest.MapFS{"m.model": {Data: []byte(test.data)}}, "m.model")
		if _, ok := errors.AsType[*FormatError](err); !ok || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "m.model: ") {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

// What may never come to an end is not read.
func TestNotAFile(t *testing.T) {
	const want = "not a regular file, its mode is "
	dir := t.TempDir()
	if _, err := Open(dir); err == nil || !strings.HasPrefix(err.Error(), "tokenizer: "+dir+": "+want+"d") {
		t.Errorf("a folder: got %v", err)
	}
	_, err := OpenFS(fstest.MapFS{"f": {Data: tiny(t, nil), Mode: fs.ModeNamedPipe}}, "f")
	if err == nil || err.Error() != "tokenizer: f: "+want+"p---------" {
		t.Errorf("a pipe: got %v", err)
	}
}

// What the normalizer makes of added tokens is bounded.
func TestAddedTokensGrow(t *testing.T) {
	sequence := func(step string, n int) string {
		return `{"type": "Sequence", "normalizers": [` + strings.TrimSuffix(strings.Repeat(step+",", n), ",") + `]}`
	}
	tokens := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(`{"id": 9, "content": "a%d", "single_word": false, "lstrip": false, "rstrip": false, "normalized": true, "special": false}`, i))
		}
		return "[" + strings.Join(list, ",") + "]"
	}
	const put = `{"type": "Replace", "pattern": {"String": "a"}, "content": "%s"}`
	for _, test := range []struct{ normalizer, tokens, want string }{
		{sequence(strings.ReplaceAll(put, "%s", "aa"), 40), tokens(1), `added_tokens: got "a0", which has more than 1000 bytes when it is normalized`},
		{sequence(`{"type": "Lowercase"}`, 1000), tokens(20_000), `added_tokens: the normalizer's steps make more than 33554432 bytes of them`},
		{strings.ReplaceAll(put, "%s", strings.Repeat("x", 1001)), tokens(1), `normalizer.content: got "xxx`},
		{`{"type": "Prepend", "prepend": "` + strings.Repeat("x", 1001) + `"}`, tokens(1), `xxx"… of 1001 bytes, want at most 1000`},
		{`{"type": "Precompiled", "precompiled_charsmap": "BAAAAAAAAAAA` + strings.Repeat("YWFh", 400) + `"}`, tokens(1), `got normalisation rules with a text of`},
	} {
		_, err := OpenFS(fstest.MapFS{"f": {Data: tiny(t, map[string]string{"normalizer": test.normalizer, "added_tokens": test.tokens})}}, "f")
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.100s: got %v, want %q", test.normalizer, err, test.want)
		}
	}
}

// Added tokens that are looked for as the same text cannot be told apart.
func TestAddedTokenErrors(t *testing.T) {
	token := func(content string, normalized string) string {
		return `{"id": 9, "content": "` + content + `", "single_word": false, "lstrip": false, "rstrip": false, "normalized": ` + normalized + `, "special": false}`
	}
	fields := map[string]string{"normalizer": `{"type": "Sequence", "normalizers": [{"type": "Lowercase"}, {"type": "Strip", "strip_left": true, "strip_right": true}]}`}
	for _, test := range []struct{ tokens, want string }{
		{token("X", "true") + "," + token("x", "true"), `got "x", which is looked for as "x", as is "X"`},
		{token("X", "true") + "," + token("x", "false"), ""},
		{token(" ", "true"), `got " ", of which the normalizer leaves nothing to look for`},
		{token("X", "false") + "," + token("X", "false"), ""},
		{token(strings.Repeat("x", maxText), "true"), ""},
		{token(strings.Repeat("x", maxText+1), "false"), ""},
		{token(strings.Repeat("x", maxText+1), "true"), `…, which has more than 1000 bytes when it is normalized`},
	} {
		all := maps.Clone(fields)
		all["added_tokens"] = "[" + test.tokens + "]"
		_, err := OpenFS(fstest.MapFS{"f": {Data: tiny(t, all)}}, "f")
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: got %v, want %q", test.tokens, err, test.want)
		}
	}
}
