package poly

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of a pattern. The first two are those of Go's regexp package.
const (
	maxPatternDepth  = 1000
	maxPatternRepeat = 1000
	maxPatternText   = 1 << 20 // bytes that the categories take, of which Go has to list the characters of some
)

// translatePattern turns a pattern of Python's re into the syntax of Go's regexp. Both accept the same texts, of those that contain no line
// break and, unless ascii is empty, no characters beyond ASCII. What a group captures and what a lazy quantifier prefers are lost: they
// do not change whether a text matches. Characters that a Unicode version later than the other's has added are the exception.
//
// It follows the grammar of Python 3.11 and later (re/_parser.py) token by token, spelling out every literal and class, so that nothing
// is left to Go's own reading of the pattern.
func translatePattern(pattern string) (text, ascii string, err error) {
	t := &translator{pattern: pattern, src: []rune(pattern)}
	defer func() {
		if r := recover(); r != nil {
			failure, ok := r.(*PatternError)
			if !ok {
				panic(r)
			}
			text, ascii, err = "", "", failure
		}
	}()
	if !utf8.ValidString(pattern) {
		t.fail(0, "text that is not UTF-8")
	}
	text = t.alternatives(0, 0)
	if t.pos < len(t.src) {
		t.fail(t.pos, "unbalanced parenthesis")
	}
	return text, t.ascii, nil
}

// translator is the state of one translation. Its methods leave by a panic with a *PatternError.
type translator struct {
	pattern string
	src     []rune
	pos     int
	global  reFlags // set by (?i) and the like at the start of the pattern
	groups  []string
	size    int // of all categories so far
	ascii   string
}

func (t *translator) fail(at int, format string, args ...any) {
	panic(&PatternError{Pattern: t.pattern, Position: at, Problem: fmt.Sprintf(format, args...)})
}

func (t *translator) unsupported(at int, what string) {
	panic(&PatternError{Pattern: t.pattern, Position: at, Problem: what, Unsupported: true})
}

// token is what Python's parser reads at once: a character, or a backslash together with the character behind it. At the end of the
// pattern the character is -1.
type token struct {
	r       rune
	escaped bool
}

func (t *translator) peek() token {
	switch {
	case t.pos == len(t.src):
		return token{r: -1}
	case t.src[t.pos] != '\\':
		return token{r: t.src[t.pos]}
	case t.pos+1 == len(t.src):
		t.fail(t.pos, "a backslash at the end")
	}
	return token{t.src[t.pos+1], true}
}

func (t *translator) next() token {
	k := t.peek()
	switch {
	case k.escaped:
		t.pos += 2
	case k.r >= 0:
		t.pos++
	}
	return k
}

// peekIn tells whether the next token is an unescaped character of the set.
func (t *translator) peekIn(set string) bool {
	k := t.peek()
	return !k.escaped && k.r >= 0 && strings.ContainsRune(set, k.r)
}

// accept skips the next token if it is the given character, unescaped.
func (t *translator) accept(r rune) bool {
	ok := t.peekIn(string(r))
	if ok {
		t.pos++
	}
	return ok
}

// take skips up to max characters of the set and returns them.
func (t *translator) take(max int, set string) string {
	start := t.pos
	for t.pos-start < max && t.peekIn(set) {
		t.pos++
	}
	return string(t.src[start:t.pos])
}

// alternatives translates a|b|c up to a closing parenthesis or the end.
func (t *translator) alternatives(flags reFlags, depth int) string {
	if depth > maxPatternDepth {
		t.unsupported(t.pos, fmt.Sprintf("groups nested deeper than %d", maxPatternDepth))
	}
	branches := []string{t.sequence(flags, depth, depth == 0)}
	for t.accept('|') {
		if depth == 0 {
			flags = t.global
		}
		branches = append(branches, t.sequence(flags, depth, false))
	}
	return strings.Join(branches, "|")
}

// atom is a part of a sequence that a quantifier can follow, unless it is a position or has one already.
type atom struct {
	text               string
	position, repeated bool
}

// sequence translates what stands between two bars. In the first of the pattern, global flags may come first.
func (t *translator) sequence(flags reFlags, depth int, first bool) string {
	var atoms []atom
	for t.peek().r >= 0 && !t.peekIn("|)") {
		at := t.pos
		k := t.next()
		if flags&flagVerbose != 0 && !k.escaped {
			if strings.ContainsRune(" \t\n\r\v\f", k.r) {
				continue
			}
			if k.r == '#' {
				t.skipTo('\n')
				continue
			}
		}
		switch {
		case k.escaped:
			atoms = append(atoms, t.escape(at, k.r, flags))
		case k.r == '[':
			atoms = append(atoms, atom{text: t.class(at, flags)})
		case k.r == '.':
			atoms = append(atoms, atom{text: choose(flags, flagDotAll, `(?s:.)`, `.`)})
		case k.r == '^':
			atoms = append(atoms, atom{text: choose(flags, flagMultiLine, `(?m:^)`, `\A`), position: true})
		case k.r == '$':
			atoms = append(atoms, atom{text: choose(flags, flagMultiLine, `(?m:$)`, `\z`), position: true})
		case k.r == '(':
			group, added := t.group(at, flags, depth)
			switch {
			case group != "":
				atoms = append(atoms, atom{text: group})
			case added != 0 && !(first && len(atoms) == 0):
				t.fail(at, "global flags not at the start of the expression")
			case added != 0:
				if t.global |= added; t.global&(flagASCII|flagUnicode) == flagASCII|flagUnicode {
					t.fail(at, "flags a and u together")
				}
				flags = t.global
			}
		default:
			quantifier := ""
			if strings.ContainsRune("*+?{", k.r) {
				quantifier = t.quantifier(at, k.r)
			}
			if quantifier == "" {
				atoms = append(atoms, atom{text: t.literal(at, k.r, flags)})
				continue
			}
			last := len(atoms) - 1
			switch {
			case last < 0 || atoms[last].position:
				t.fail(at, "nothing to repeat")
			case atoms[last].repeated:
				t.fail(at, "multiple repeat")
			}
			atoms[last].text += quantifier
			atoms[last].repeated = true
		}
	}
	var b strings.Builder
	for _, a := range atoms {
		b.WriteString(a.text)
	}
	return b.String()
}

// choose returns the text for a flag that is set, or for one that is not.
func choose(flags, flag reFlags, set, clear string) string {
	if flags&flag != 0 {
		return set
	}
	return clear
}

// skipTo skips tokens up to and including an unescaped character and tells whether there was one.
func (t *translator) skipTo(r rune) bool {
	for {
		switch k := t.next(); {
		case k == token{r: r}:
			return true
		case k.r < 0:
			return false
		}
	}
}

// literal translates a character that stands for itself.
func (t *translator) literal(at int, r rune, flags reFlags) string {
	text := regexp.QuoteMeta(string(r))
	if r < ' ' || r > '~' {
		text = fmt.Sprintf(`\x{%x}`, r)
	}
	if flags&flagIgnoreCase == 0 {
		return text
	}
	t.ignoreCase(at, r)
	return `(?i:` + text + `)`
}

// ignoreCase notes that the case of a character, or of those up to it, is ignored. Python and Go agree on the cases of ASCII letters
// only.
func (t *translator) ignoreCase(at int, r rune) {
	if isNotASCII(r) {
		t.unsupported(at, "a character beyond ASCII with case ignored")
	}
	t.ascii = "ignored case"
}

// quantifier translates what follows a quantifier's first character, which was read. It returns "" where Python takes the brace for
// a literal.
func (t *translator) quantifier(at int, r rune) string {
	text := string(r)
	if r == '{' {
		if text = t.braces(at); text == "" {
			return ""
		}
	}
	if t.accept('+') {
		t.unsupported(at, "a possessive quantifier")
	}
	t.accept('?')
	return text
}

// braces translates a counted quantifier after its brace: {m}, {m,n}, {m,}, {,n} or {,}.
func (t *translator) braces(at int) string {
	start := t.pos
	const digits = "0123456789"
	low := t.take(len(t.src), digits)
	comma := t.accept(',')
	high := low
	if comma {
		high = t.take(len(t.src), digits)
	}
	if t.pos == start || !t.accept('}') {
		t.pos = start
		return ""
	}
	least, most := t.count(at, low, 0), t.count(at, high, maxPatternRepeat)
	switch {
	case most < least:
		t.fail(at, "min repeat greater than max repeat")
	case high == "":
		return fmt.Sprintf("{%d,}", least)
	}
	return fmt.Sprintf("{%d,%d}", least, most)
}

// count reads the number of a quantifier.
func (t *translator) count(at int, digits string, missing int) int {
	if digits == "" {
		return missing
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n > maxPatternRepeat {
		t.unsupported(at, fmt.Sprintf("a repetition of more than %d", maxPatternRepeat))
	}
	return n
}
