package tokenizer

import (
	"slices"
	"strings"
	"testing"
)

// Recorded with tokenizers 0.23.3: pre_tokenizers.Split of the text at what does not match.
func TestExpressions(t *testing.T) {
	const text, cases = "ab abc\nxxxxx 12é-]\t日\r\n\u2028x\uFFFD", "It's a ROCK, isn'T it?  \tlaſt 'ſ \u212A k's  \n x"
	for _, test := range []struct {
		text, expression string
		want             []string // matches
	}{
		{text, `.`, []string{"a", "b", " ", "a", "b", "c", "x", "x", "x", "x", "x", " ", "1", "2", "é", "-", "]", "\t", "日", "\r", "\u2028", "x", "\uFFFD"}},
		{text, `..`, []string{"ab", " a", "bc", "xx", "xx", "x ", "12", "é-", "]\t", "日\r", "\u2028x"}},
		{text, `\p{^L}+`, []string{" ", "\n", " 12", "-]\t", "\r\n\u2028", "\uFFFD"}},
		{text, `\P{L}+`, []string{" ", "\n", " 12", "-]\t", "\r\n\u2028", "\uFFFD"}},
		{text, `[\s\S]{3}`, []string{"ab ", "abc", "\nxx", "xxx", " 12", "é-]", "\t日\r", "\n\u2028x"}},
		{text, `[a-c]+`, []string{"ab", "abc"}},
		{text, `a|ab`, []string{"a", "a"}},
		{text, `(?:ab|a)c?`, []string{"ab", "abc"}},
		{text, `x{2,3}`, []string{"xxx", "xx"}},
		{text, `x{3,}`, []string{"xxxxx"}},
		{text, `x{2}`, []string{"xx", "xx"}},
		{text, `x+?`, []string{"x", "x", "x", "x", "x", "x"}},
		{text, `[\]b-]+`, []string{"b", "b", "-]"}},
		{text, `[^\r\n]+`, []string{"ab abc", "xxxxx 12é-]\t日", "\u2028x\uFFFD"}},
		{text, `\-\]`, []string{"-]"}},
		{text, `é-?`, []string{"é-"}},
		{text, `[^\S\n]+`, []string{" ", " ", "\t", "\r", "\u2028"}},
		{text, `\D`, []string{"a", "b", " ", "a", "b", "c", "\n", "x", "x", "x", "x", "x", " ", "é", "-", "]", "\t", "日", "\r", "\n", "\u2028", "x", "\uFFFD"}},
		{text, "x?\uFFFD", []string{"x\uFFFD"}},
		{text, `[\d-]+`, []string{"12", "-"}},
		{text, `\p{Nd}|\p{Zl}`, []string{"1", "2", "\u2028"}},
		{text, `(?:a(?:b(?:c|x)?)?)+`, []string{"ab", "abc"}},
		{text, `\s+(?!\S)`, []string{"\r\n"}},
		{text, `\s+(?!\S)|\s`, []string{" ", "\n", " ", "\t", "\r\n", "\u2028"}},
		{text, `x+(?= )|x`, []string{"xxxxx", "x"}},
		{text, `x(?!x)`, []string{"x", "x"}},
		{text, `[^ ]+(?=[ \n])`, []string{"ab", "abc\nxxxxx", "12é-]\t日\r"}},
		{text, `.(?!.)`, []string{"c", "\r", "\uFFFD"}},
		{text, `b(?=c)|a|b(?!c)`, []string{"a", "b", "a", "b"}},
		{text, `.+(?=x)|x{2,}(?!\S)|..(?=.)`, []string{"ab", " a", "xxxx", "x ", "12", "é-", "]\t", "\u2028"}},
		{text, "x+(?![\\s\\S])|\uFFFD(?![\\s\\S])", []string{"\uFFFD"}},
		{text, `\s+$|c$`, []string{"c", "\r"}},
		{cases, `\s+$|'.$`, []string{"  "}},
		{cases, `(?i:'s|'t)`, []string{"'s", "'T", "'ſ", "'s"}},
		{cases, `'(?i:[st])`, []string{"'s", "'T", "'ſ", "'s"}},
		{cases, `(?i:a)(?i:S)(?i:T)`, []string{"aſt"}},
		{cases, `(?i:k)|k's`, []string{"K", "\u212A", "k"}},
		{cases, `(?i:t)\s+(?=[a-z])`, []string{"T "}},
		{cases, `(?i:s[t-u])`, []string{"ſt"}},
		{cases, strings.Repeat("(", maxGroups) + "t" + strings.Repeat(")", maxGroups), []string{"t", "t", "t"}},
	} {
		p, err := new(compiler).compile(test.expression)
		if err != nil {
			t.Error(err)
			continue
		}
		var got []string
		for pos := 0; ; {
			start, end := p.find([]byte(test.text), pos)
			if start < 0 {
				break
			}
			got = append(got, test.text[start:end])
			pos = end
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.expression, got, test.want)
		}
	}
}

// What the engines read otherwise, or have no end for, is an error that says what was found.
func TestExpressionErrors(t *testing.T) {
	groups := func(n int) string { return strings.Repeat("(", n) + "x" + strings.Repeat(")", n) }
	for expression, want := range map[string]string{
		`x*|y`:                "it matches nothing",
		`(?:x*)`:              "it matches nothing",
		`x)y`:                 "unbalanced )",
		groups(maxGroups + 1): "got more than 100 groups",
		`(?i:sS)`:             "for either case with ss",
		`(?i:ff)`:             "for either case with ff",
		`(?i:fi)`:             "for either case with fi",
		`(?i:fl)`:             "for either case with fl",
		`[[a]b]`:              "got [a within a class",
		`[a&&b]`:              "got && within a class",
		`[]a]`:                "got ]a within a class",
		`[b-a]`:               "got a range that is not from a character",
		`[\s-a]`:              "got a range that is not from a character",
		`[a-\d]`:              "got a range that is not from a character",
		`[^\s\S]`:             "got a class of no characters",
		`\pL`:                 `got \p without {…}`,
		`\p{L`:                `got \p without {…}`,
		`\pN{L}`:              `got \p without {…}`,
		`\p{space}`:           `got \p{space}, want a general category`,
		`\P{Greek}`:           `got \P{Greek}, want a general category`,
		`\9`:                  `got \9`,
		`\Z`:                  `got \Z`,
		`\z`:                  `got \z`,
	} {
		if _, err := new(compiler).compile(expression); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", expression, err, want)
		}
	}
}

// The split expressions of some models whose files compile has no pattern of its own for. Recorded with tokenizers 0.23.3.
func TestExpressionsOfModels(t *testing.T) {
	const text = "HelloWorld, it'S 12345 naïve e\u0301tés!?\r\n\n  你好abc  x/\n/y #tag\t "
	for _, test := range []struct {
		expression string
		want       []string
	}{
		// Mistral Nemo
		{`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`, []string{"Hello", "World", ",", " it", "'S", " ", "1", "2", "3", "4", "5", " naïve", " e\u0301tés", "!?\r\n\n", " ", " 你好abc", " ", " x", "/\n/", "y", " #", "tag", "\t "}},
		// GPT-4o
		{`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`, []string{"Hello", "World", ",", " it'S", " ", "123", "45", " naïve", " e\u0301tés", "!?\r\n\n", " ", " 你好abc", " ", " x", "/\n/", "y", " #", "tag", "\t "}},
		// DeepSeek V2
		{`[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_` + "`" + `{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`, []string{"HelloWorld", ",", " it", "'S", " ", "12345", " naïve", " e\u0301tés", "!?\r\n\n", " ", " 你好abc", " ", " x", "/\n", "/y", " #", "tag", "\t "}},
		// Qwen3.5
		{`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`, []string{"HelloWorld", ",", " it", "'S", " ", "1", "2", "3", "4", "5", " naïve", " e\u0301tés", "!?\r\n\n", " ", " 你好abc", " ", " x", "/\n", "/y", " #", "tag", "\t "}},
	} {
		p, err := new(compiler).compile(test.expression)
		if err != nil {
			t.Error(err)
			continue
		}
		var got []string
		for pos := 0; pos < len(text); {
			start, end := p.find([]byte(text), pos)
			if start > pos { // what does not match
				got = append(got, text[pos:start])
			}
			got = append(got, text[start:end])
			pos = end
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.expression, got, test.want)
		}
	}
}
