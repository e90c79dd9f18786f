package tokenizer

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A compiler makes patterns of the regular expressions of one file.
type compiler struct{ size int } // of the expressions so far

// maxSize is the size of all expressions of a file together: their items and the ranges of these, with repetitions written out. \p{L} alone has 677
// ranges and a{999} becomes 999 items, so a short file could ask for any amount of time and memory.
const maxSize = 1 << 17

// maxGroups is how many groups of an expression can be within each other.
const maxGroups = 100

// compile makes a pattern of a regular expression of a tokenizer.json. Those that most byte-level tokenizers use are known; any other is translated to
// Go's syntax if it has nothing that Go lacks or reads otherwise: literals, classes, groups, alternatives and quantifiers are what both agree on, and two
// things can be put in other words: an alternative that ends by looking at the next character, and groups whose letters match in either case.
// Matches must not be empty.
func (c *compiler) compile(text string) (pattern, error) {
	switch text {
	case gpt2Pattern:
		return gpt2{charClasses()}, nil
	case llama3Pattern:
		return llama3{charClasses(), 3}, nil
	case qwen2Pattern:
		return llama3{charClasses(), 1}, nil
	}
	t := translator{rest: text, size: c.size}
	empty := t.alternatives(0)
	if t.err == nil && t.rest != "" {
		t.fail("unbalanced )")
	}
	if t.err != nil {
		return nil, fmt.Errorf("the regular expression %s: %w", quote(text), t.err)
	}
	re, err := regexp.Compile(t.out.String())
	if err != nil {
		return nil, fmt.Errorf("the regular expression %s: %w", quote(text), err)
	}
	if empty {
		return nil, fmt.Errorf("the regular expression %s: it matches nothing, want one that does not match the empty text", quote(text))
	}
	c.size = t.size
	return expression{re}, nil
}

// A translator reads a regular expression in the syntax of Oniguruma and writes it in that of Go.
type translator struct {
	rest string
	out  bytes.Buffer
	size int  // see maxSize
	fold bool // letters match in either case
	last rune // the character just read in a group for either case; 0 where it was another thing
	err  error
}

func (t *translator) fail(format string, args ...any) {
	if t.err == nil {
		t.err = fmt.Errorf(format, args...)
		t.rest = ""
	}
}

// take cuts a prefix off.
func (t *translator) take(prefix string) bool {
	rest, ok := strings.CutPrefix(t.rest, prefix)
	if ok {
		t.rest = rest
	}
	return ok
}

func (t *translator) char() rune {
	r, n := utf8.DecodeRuneInString(t.rest)
	if n == 0 {
		t.fail("it ends early")
		return 0
	}
	t.rest = t.rest[n:]
	return r
}

// grow adds to the size.
func (t *translator) grow(n int) {
	if t.size += n; t.size > maxSize {
		t.fail("with it, the expressions of the file have more than %d items and ranges of characters, with repetitions written out", maxSize)
	}
}

// alternatives translates all up to a ) or to the end, and reports whether it can match the empty text.
func (t *translator) alternatives(depth int) (empty bool) {
	if depth > maxGroups {
		t.fail("got more than %d groups within each other", maxGroups)
	}
	alternative, nothing := t.out.Len(), true // where the alternative starts, and whether it can match the empty text so far
	for t.rest != "" && t.rest[0] != ')' {
		if t.take("|") {
			t.out.WriteByte('|')
			empty = empty || nothing
			alternative, nothing, t.last = t.out.Len(), true, 0
			continue
		}
		if depth == 0 && t.ahead(alternative, nothing) {
			nothing = false
			continue
		}
		size := t.size
		optional := t.item(depth)
		if optional && t.rest != "" && strings.ContainsRune("*+{", rune(t.rest[0])) {
			t.fail("got a repeated group that matches nothing") // engines differ in when they stop
		}
		least, most := t.quantifier()
		t.grow((t.size - size) * (most - 1))
		nothing = nothing && (optional || least == 0)
	}
	return empty || nothing
}

// ahead translates a look at the next character, if there is one. It ends the alternative from a position on, which must not be able to match nothing. Go's
// match has that character too; its group tells where the match itself ends.
func (t *translator) ahead(alternative int, nothing bool) bool {
	var of []rune
	end, closed := true, true // whether the end of the text will do, too
	switch {
	case t.take("$"): // of a line
		of = []rune{'\n', '\n'}
	case t.take("(?!"):
		of = complement(t.character())
		closed = t.take(")")
	case t.take("(?="):
		of, end = t.character(), false
		closed = t.take(")")
	default:
		return false
	}
	if !closed || t.rest != "" && t.rest[0] != '|' {
		t.fail("got a look-ahead, or $, that is not for one character at the end of an alternative")
	}
	if nothing {
		t.fail("got an alternative that matches nothing")
	}
	match := string(t.out.Bytes()[alternative:])
	t.out.Truncate(alternative)
	fmt.Fprintf(&t.out, "(%s)(?:", match)
	if end {
		t.out.WriteString(`\z|`)
	}
	t.ranges(of)
	t.out.WriteByte(')')
	return true
}

// item translates what a quantifier can follow, and reports whether it can match the empty text.
func (t *translator) item(depth int) (empty bool) {
	if !t.take("(") {
		of := t.character()
		if t.fold {
			of = t.folded(of)
		}
		t.ranges(of)
		return false
	}
	was := t.fold
	switch {
	case t.take("?i:"):
		t.fold, t.last = true, 0
	case !t.take("?:") && strings.HasPrefix(t.rest, "?"):
		t.fail("got the group (%.3s, want ( or (?: or (?i:, or a look-ahead for one character at the end of an alternative", t.rest)
	}
	t.grow(1)
	t.out.WriteString("(?:")
	empty = t.alternatives(depth + 1)
	if !t.take(")") {
		t.fail("a group does not end")
	}
	t.out.WriteByte(')')
	t.fold = was
	return empty
}

// folded returns ranges with the other cases of their letters, as far as these are single characters: Unicode has one for "st", too.
func (t *translator) folded(of []rune) []rune {
	var last rune
	if len(of) == 2 && of[0] == of[1] {
		last = unicode.ToLower(of[0])
	}
	if pair := string([]rune{t.last, last}); pair == "ss" || pair == "st" || pair == "ff" || pair == "fi" || pair == "fl" {
		t.fail("got a group for either case with %s, which one character can stand for", pair)
	}
	t.last = last
	out := slices.Clone(of)
	for i := 0; i < len(of); i += 2 {
		if of[i+1] >= utf8.RuneSelf {
			t.fail("got a group for either case with characters beyond ASCII")
			return nil
		}
		for r := of[i]; r <= of[i+1]; r++ {
			for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
				out = append(out, f, f)
			}
		}
	}
	return out
}

// character reads a character or a class and returns its ranges.
func (t *translator) character() []rune {
	switch r := t.char(); r {
	case '[':
		return t.class()
	case '.':
		return complement([]rune{'\n', '\n'})
	case '\\':
		return t.escape()
	case '(', ')', '|', '*', '+', '?', '{', '}', '^', '$', ']':
		t.fail("got %q, want a character or a group", r)
		return nil
	default:
		return []rune{r, r}
	}
}

// quantifier translates how many times an item can be there, if the text says that. It returns the least number and how many items it is, written out.
func (t *translator) quantifier() (least, most int) {
	m := quantifiers.FindStringSubmatch(t.rest)
	t.rest = t.rest[len(m[0]):]
	t.out.WriteString(m[0])
	if t.rest != "" && strings.ContainsRune("*+?{", rune(t.rest[0])) {
		t.fail("got the quantifier %q followed by %.1q", m[0], t.rest)
	}
	switch {
	case m[1] != "": // a number
		least, _ = strconv.Atoi(m[1])
		most, _ = strconv.Atoi(m[2])
		return least, max(least, most, 1)
	case strings.HasPrefix(m[0], "*"), strings.HasPrefix(m[0], "?"):
		return 0, 1
	}
	return 1, 1
}

// A number of times takes no ? after it: it means another thing to Oniguruma. Go takes one with zeros before it for text.
var quantifiers = regexp.MustCompile(`^(?:[*+?]\??|\{(0|[1-9][0-9]{0,2})(?:,(0|[1-9][0-9]{0,2})?)?\})?`)

// ranges writes a class of characters, given by the first and the last of each range.
func (t *translator) ranges(of []rune) {
	t.grow(1 + len(of)/2)
	if t.err != nil {
		return
	}
	if len(of) == 0 { // no character
		t.out.WriteString(`[^\x{0}-\x{10FFFF}]`)
		return
	}
	t.out.WriteByte('[')
	for i := 0; i < len(of); i += 2 {
		fmt.Fprintf(&t.out, `\x{%x}-\x{%x}`, of[i], of[i+1])
	}
	t.out.WriteByte(']')
}

// class reads the rest of a bracketed class.
func (t *translator) class() []rune {
	negated := t.take("^")
	var of []rune
	for first := true; t.err == nil; first = false {
		if !first && t.take("]") {
			break
		}
		if strings.HasPrefix(t.rest, "[") || strings.HasPrefix(t.rest, "&&") || strings.HasPrefix(t.rest, "]") {
			t.fail("got %.2s within a class", t.rest)
			break
		}
		low := t.classItem()
		if strings.HasPrefix(t.rest, "-") && !strings.HasPrefix(t.rest, "-]") {
			t.take("-")
			high := t.classItem()
			if len(low) != 2 || low[0] != low[1] || len(high) != 2 || high[0] != high[1] || low[0] > high[0] {
				t.fail("got a range that is not from a character to a later one")
				break
			}
			low[1] = high[0]
		}
		if of = append(of, low...); len(of) > 2*maxSize {
			t.fail("got a class of more than %d ranges", maxSize)
		}
	}
	if negated {
		of = complement(of)
	}
	if len(of) == 0 {
		t.fail("got a class of no characters")
	}
	return of
}

func (t *translator) classItem() []rune {
	r := t.char()
	if r == '\\' {
		return t.escape()
	}
	return []rune{r, r}
}

// escape reads what follows a backslash.
func (t *translator) escape() []rune {
	switch r := t.char(); r {
	case 'n':
		return []rune{'\n', '\n'}
	case 'r':
		return []rune{'\r', '\r'}
	case 't':
		return []rune{'\t', '\t'}
	case 'f':
		return []rune{'\f', '\f'}
	case 'v':
		return []rune{'\v', '\v'}
	case 's':
		return named("space")
	case 'S':
		return complement(named("space"))
	case 'd':
		return named("Nd")
	case 'D':
		return complement(named("Nd"))
	case 'p', 'P':
		name, rest, ok := strings.Cut(t.rest, "}")
		if !ok || !strings.HasPrefix(name, "{") {
			t.fail(`got \%c without {…}`, r)
			return nil
		}
		t.rest = rest
		name, negated := strings.CutPrefix(name[1:], "^")
		of := named(name)
		if of == nil || name == "space" {
			t.fail(`got \%c{%s}, want a general category`, r, name)
		}
		if negated != (r == 'P') {
			of = complement(of)
		}
		return of
	default:
		if r < utf8.RuneSelf && ('0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z') {
			t.fail(`got \%c`, r)
		}
		return []rune{r, r}
	}
}
