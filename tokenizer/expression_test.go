package tokenizer

import (
	"slices"
	"testing"
)

// Recorded with tokenizers 0.23.3: pre_tokenizers.Split of the text at what does not match.
func TestExpressions(t *testing.T) {
	const text = "ab abc\nxxxxx 12é-]\t日\r\n\u2028x\uFFFD"
	for _, test := range []struct {
		expression string
		want       []string // matches
	}{
		{`.`, []string{"a", "b", " ", "a", "b", "c", "x", "x", "x", "x", "x", " ", "1", "2", "é", "-", "]", "\t", "日", "\r", "\u2028", "x", "\uFFFD"}},
		{`..`, []string{"ab", " a", "bc", "xx", "xx", "x ", "12", "é-", "]\t", "日\r", "\u2028x"}},
		{`\p{^L}+`, []string{" ", "\n", " 12", "-]\t", "\r\n\u2028", "\uFFFD"}},
		{`\P{L}+`, []string{" ", "\n", " 12", "-]\t", "\r\n\u2028", "\uFFFD"}},
		{`[\s\S]{3}`, []string{"ab ", "abc", "\nxx", "xxx", " 12", "é-]", "\t日\r", "\n\u2028x"}},
		{`[a-c]+`, []string{"ab", "abc"}},
		{`a|ab`, []string{"a", "a"}},
		{`(?:ab|a)c?`, []string{"ab", "abc"}},
		{`x{2,3}`, []string{"xxx", "xx"}},
		{`x{3,}`, []string{"xxxxx"}},
		{`x{2}`, []string{"xx", "xx"}},
		{`x+?`, []string{"x", "x", "x", "x", "x", "x"}},
		{`[\]b-]+`, []string{"b", "b", "-]"}},
		{`[^\r\n]+`, []string{"ab abc", "xxxxx 12é-]\t日", "\u2028x\uFFFD"}},
		{`\-\]`, []string{"-]"}},
		{`é-?`, []string{"é-"}},
		{`[^\S\n]+`, []string{" ", " ", "\t", "\r", "\u2028"}},
		{`\D`, []string{"a", "b", " ", "a", "b", "c", "\n", "x", "x", "x", "x", "x", " ", "é", "-", "]", "\t", "日", "\r", "\n", "\u2028", "x", "\uFFFD"}},
		{"x?\uFFFD", []string{"x\uFFFD"}},
		{`[\d-]+`, []string{"12", "-"}},
		{`\p{Nd}|\p{Zl}`, []string{"1", "2", "\u2028"}},
		{`(?:a(?:b(?:c|x)?)?)+`, []string{"ab", "abc"}},
	} {
		p, err := compile(test.expression)
		if err != nil {
			t.Error(err)
			continue
		}
		var got []string
		for pos := 0; ; {
			start, end := p.find([]byte(text), pos)
			if start < 0 {
				break
			}
			got = append(got, text[start:end])
			pos = end
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.expression, got, test.want)
		}
	}
}
