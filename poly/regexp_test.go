package poly

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"testing"
)

// fullMatches has patterns with texts that Python's re.fullmatch accepts and refuses, as CPython 3.11 computed.
var fullMatches = []struct {
	pattern string
	yes, no []string
}{
	{".*decoder.*(SelfAttention|EncDecAttention).*(q|v)$", []string{"decoder.block.0.layer.0.SelfAttention.q", "decoder.block.1.layer.1.EncDecAttention.v"}, []string{"decoder.block.0.layer.0.SelfAttention.k", "encoder.block.0.layer.0.SelfAttention.q", "decoder.block.0.layer.0.SelfAttention.q.x"}},
	{`.*language_model\..*\.(q_proj|v_proj)`, []string{"model.language_model.layers.0.self_attn.q_proj"}, []string{"model.vision.layers.0.q_proj", "language_model.q_proj"}},
	{`model\.layers\.(0|[2-4])\.self_attn\.[qv]_proj`, []string{"model.layers.0.self_attn.q_proj", "model.layers.3.self_attn.v_proj"}, []string{"model.layers.1.self_attn.q_proj", "model.layers.3.self_attn.v_projx"}},
	{"q|v", []string{"q", "v"}, []string{"a.q", "qv"}},
	{"^q$", []string{"q"}, []string{"aq"}},
	{"a$b|c", []string{"c"}, []string{"a", "ab"}},
	{`\Aq\Z`, []string{"q"}, []string{"a.q"}},
	{`(?P<kind>enc|dec)oder\.q`, []string{"encoder.q", "decoder.q"}, []string{"coder.q"}},
	{`.*\.\d+\.q`, []string{"block.12.q", `block.٣.q`}, []string{"block.x.q"}},
	{`(?a).*\.\d+\.q`, []string{"block.12.q"}, []string{`block.٣.q`}},
	{`\w+`, []string{`naïve_1`, `²`}, []string{"a.b", "a b"}},
	{`(?a:\w+)`, []string{"naive_1"}, []string{`naïve`}},
	{`[^\W\d_]+`, []string{"abc", `é`}, []string{"a1", "a_"}},
	{`\D+\S\W`, []string{"ab.", "q2."}, []string{"1b.", "a .", "abc"}},
	{`(?a)\W`, []string{"."}, []string{"a"}},
	{`\t\a`, []string{"\t\a"}, []string{"ta"}},
	{`[\W]`, []string{".", `€`}, []string{"a", `é`}},
	{`a\sb`, []string{"a b", "a b", "a\u001cb"}, []string{"a_b"}},
	{"(?i)Q_PROJ", []string{"q_proj", "Q_Proj"}, []string{"q_prol"}},
	{"(?i:Q)_proj", []string{"q_proj"}, []string{"q_PROJ"}},
	{`(?i)[P-R]\d`, []string{"q1", "Q1"}, []string{"S1"}},
	{"(?i)a(?-i:B)c", []string{"aBc", "ABC"}, []string{"abc"}},
	{"(?x) model \\. q  # the query\n _proj", []string{"model.q_proj"}, []string{"model . q _proj"}},
	{"(?x:a b) c", []string{"ab c"}, []string{"a b c"}},
	{`(?x)a\ b[ ]c`, []string{"a b c"}, []string{"abc"}},
	{"(?x)a# b\\\nc", []string{"a"}, []string{"ac"}},
	{"(?s)a.b", []string{"axb"}, []string{"ab"}},
	{"(?m)^a$", []string{"a"}, []string{"b"}},
	{`a(?#comment (with\) escapes)*b`, []string{"b", "aab", "ab"}, nil},
	{"a{,2}b", []string{"b", "aab"}, []string{"aaab", "a{,2}b"}},
	{"a{,}b", []string{"b", "aaab"}, []string{"a{,}b"}},
	{"a{2}", []string{"aa"}, []string{"a", "a{2}"}},
	{"a{1,2}?b", []string{"ab", "aab"}, []string{"aaab"}},
	{"a{x}", []string{"a{x}"}, []string{"ax"}},
	{"{}", []string{"{}"}, []string{""}},
	{"a{1", []string{"a{1"}, []string{"a"}},
	{"x{1,2", []string{"x{1,2"}, []string{"x"}},
	{"a*?", []string{"aaa"}, []string{"b"}},
	{"[]a]", []string{"]", "a"}, []string{"b"}},
	{"[^]a]", []string{"b"}, []string{"]", "a"}},
	{"[a-]", []string{"a", "-"}, []string{"b"}},
	{"[-a]", []string{"a", "-"}, []string{"b"}},
	{"[[:alpha:]]", []string{"a]", ":]"}, []string{"b]", "z"}},
	{"[a&&b]", []string{"a", "&", "b"}, []string{"c"}},
	{`[\b]`, []string{"\b"}, []string{"b"}},
	{"[.]", []string{"."}, []string{"a"}},
	{`\x71`, []string{"q"}, []string{"x71"}},
	{`\u0071\U00000071`, []string{"qq"}, nil},
	{`\161`, []string{"q"}, nil},
	{`\0`, []string{"\u0000"}, []string{"0"}},
	{`[\161\1]`, []string{"q", "\u0001"}, []string{"1"}},
	{`a\bb|a\b\.b`, []string{"a.b"}, []string{"ab"}},
	{`a\B.b`, []string{"axb"}, []string{"a.b"}},
	{`\-\.\_\é`, []string{`-._é`}, nil},
	{`é+`, []string{`éé`}, []string{"e"}},
	{`K`, []string{`K`}, []string{"K"}},
	{"a||b", []string{"a", "b"}, []string{"ab"}},
	{"()a", []string{"a"}, nil},
	{"(?:)*a", []string{"a"}, nil},
	{"(a|b*)*c", []string{"ababc", "c"}, []string{"d"}},
}

func TestFullMatch(t *testing.T) {
	for _, c := range fullMatches {
		re, err := compileFullMatch(c.pattern)
		if err != nil {
			t.Errorf("%q: %v", c.pattern, err)
			continue
		}
		for _, want := range []bool{true, false} {
			texts := c.no
			if want {
				texts = c.yes
			}
			for _, s := range texts {
				if got, err := re.match(s); got != want && err == nil {
					t.Errorf("%q on %q: got %v, want %v (translated to %q)", c.pattern, s, got, want, re.re)
				}
			}
		}
	}
}

func TestMatchNeedsASCII(t *testing.T) {
	for _, pattern := range []string{`(?i)k`, `\bk`, `k\B.`, `(?i)[^a]`} {
		re, err := compileFullMatch(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := re.match("\u212a"); err == nil { // the Kelvin sign
			t.Errorf("%q: a path beyond ASCII is no error", pattern)
		}
		if _, err := re.match("k"); err != nil {
			t.Errorf("%q: %v", pattern, err)
		}
	}
	for _, path := range []string{"a\n", "\xff"} {
		re, err := compileFullMatch(`.*$`)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := re.match(path); err == nil {
			t.Errorf("path %q is no error", path)
		}
	}
}

func TestPrefixMatch(t *testing.T) {
	re, err := compileMatch([]string{`(^|.*\.)score($|\..*)`, "k.*"})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{"score": true, "a.score": true, "a.score.b": true, "scores": false, "ascore": false, "kv": true, "a.k": false} {
		if got, err := re.match(path); got != want || err != nil {
			t.Errorf("%q: got %v, %v, want %v", path, got, err, want)
		}
	}
}

// TestPatternRefused has patterns that CPython refuses too.
func TestPatternRefused(t *testing.T) {
	patterns := []string{
		`*a`, `a**`, `a{2}{3}`, `^*`, `a|*`, `\b*`, `(?i)*`, `(a`, `a)`, `[a`, `[z-a]`, `[\d-x]`, `[a-\d]`, `a{3,2}`, `a\`, `[\Z]`, `[\8]`,
		`(?P<1>a)`, `(?P<a>x)(?P<a>y)`, `(?P<>a)`, `(?P<a`, `(?Px)`, `(?<n>a)`, `a(?i)b`, `(a|(?i)b)`, `(?z)a`, `(?`, `(?#`, `(?\:a)`,
		`(?a-u:x)`, `(?au)x`, `(?a)(?u)x`, `(?L)x`, `(?i-i:x)`, `(?i-:x)`, `(?iz)x`, `(?i`, `(?i-`, `\x1`, `\u12`, `\U00110000`, `\777`, `\Q`, `\pL`,
		"a\xff",
	}
	for _, pattern := range patterns {
		_, err := compileFullMatch(pattern)
		if e, ok := errors.AsType[*PatternError](err); !ok || e.Unsupported {
			t.Errorf("%q: got error %v", pattern, err)
		}
	}
}

func TestPatternUnsupported(t *testing.T) {
	for _, c := range []struct {
		pattern, construct string
		position           int
	}{
		{`a(?=b)`, "look-ahead", 1},
		{`é(?!b)`, "look-ahead", 1},
		{`(?<=a)b`, "look-behind", 0},
		{`(?<!a)b`, "look-behind", 0},
		{`(a)\1`, "back-reference", 3},
		{`(?P<n>a)(?P=n)`, "back-reference", 8},
		{`(a)?(?(1)b|c)`, "conditional group", 4},
		{`(?>a)`, "atomic group", 0},
		{`a*+`, "possessive quantifier", 1},
		{`a{1,2}+`, "possessive quantifier", 1},
		{`\N{DASH}`, "character by name", 0},
		{`a{1001}`, "repetition", 1},
		{`(a{1000}){1000}`, "invalid repeat count", 0},
		{`(?i)é`, "beyond ASCII", 4},
		{`(?i)[a-é]`, "beyond ASCII", 4},
		{strings.Repeat("(", 1100), "nested", 1001},
		{"[" + strings.Repeat(`\W`, 1000) + "]", "size", 0},
	} {
		_, err := compileFullMatch(c.pattern)
		e, ok := errors.AsType[*PatternError](err)
		if !ok || !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(e.Problem, c.construct) || e.Position != c.position {
			t.Errorf("%.20q: got error %v, want %s at %d", c.pattern, err, c.construct, c.position)
		}
	}
}

func FuzzPattern(f *testing.F) {
	for _, c := range fullMatches {
		f.Add(c.pattern, "model.layers.0.self_attn.q_proj")
	}
	f.Fuzz(func(t *testing.T, pattern, path string) {
		text, _, err := translatePattern(pattern)
		if err != nil {
			return
		}
		_, err = regexp.Compile(text)
		if e, ok := errors.AsType[*syntax.Error](err); ok {
			switch e.Code {
			case syntax.ErrInvalidRepeatSize, syntax.ErrNestingDepth, syntax.ErrLarge:
			default:
				t.Fatalf("%q was translated to %q: %v", pattern, text, err)
			}
		}
		if re, err := compileFullMatch(pattern); err == nil {
			re.match(path)
		}
	})
}

// TestPatternLimits has patterns that would take seconds to compile or to match.
func TestPatternLimits(t *testing.T) {
	for _, c := range []struct{ pattern, want string }{
		{strings.Repeat(`\w`, 30_000), "got 60000 bytes, want at most 16384"},
		{strings.Repeat(`.*`, 3000), "steps after compilation, want at most 4096"},
		{strings.Repeat(`.{0,1000}`, 100), "steps after compilation, want at most 4096"},
	} {
		if _, err := compileFullMatch(c.pattern); err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 400 {
			t.Errorf("%.20q: got error %v, want %s", c.pattern, err, c.want)
		}
	}
	// The paths of all attention layers of a model of 24 blocks.
	var paths []string
	for i := range 24 {
		for _, layer := range []string{"0.SelfAttention", "1.EncDecAttention"} {
			paths = append(paths, fmt.Sprintf(`decoder\.block\.%d\.layer\.%s\.[qkvo]`, i, layer))
		}
	}
	re, err := compileFullMatch(strings.Join(paths, "|"))
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := re.match("decoder.block.23.layer.1.EncDecAttention.o"); !ok || err != nil {
		t.Errorf("a list of paths: got %t, %v", ok, err)
	}
}
