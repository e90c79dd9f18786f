package poly

import (
	"slices"
	"strings"
	"unicode"
)

// reFlags are the flags of Python's re that change the meaning of what follows.
type reFlags uint8

const (
	flagASCII reFlags = 1 << iota
	flagIgnoreCase
	flagMultiLine
	flagDotAll
	flagUnicode // the default; kept apart only to refuse it together with flagASCII
	flagVerbose
)

// flagLetters has the letters of the flags, in order of their bits.
const flagLetters = "aimsux"

// group translates what follows an opening parenthesis. For a comment it returns nothing, for global flags only these.
func (t *translator) group(at int, flags reFlags, depth int) (text string, global reFlags) {
	if t.accept('?') {
		k := t.next()
		switch {
		case k.escaped:
			t.fail(at, `unknown extension ?\%c`, k.r)
		case k.r < 0:
			t.fail(at, "unexpected end of pattern")
		case k.r == ':':
		case k.r == '#':
			if !t.skipTo(')') {
				t.fail(at, "missing ), unterminated comment")
			}
			return "", 0
		case k.r == 'P':
			t.named(at)
		case k.r == '=' || k.r == '!':
			t.unsupported(at, "a look-ahead")
		case k.r == '<' && t.peekIn("=!"):
			t.unsupported(at, "a look-behind")
		case k.r == '>':
			t.unsupported(at, "an atomic group")
		case k.r == '(':
			t.unsupported(at, "a conditional group")
		case k.r == '-' || k.r == 'L' || strings.ContainsRune(flagLetters, k.r):
			var isGlobal bool
			if flags, global, isGlobal = t.flags(at, k.r, flags); isGlobal {
				return "", global
			}
		default:
			t.fail(at, "unknown extension ?%c", k.r)
		}
	}
	text = "(?:" + t.alternatives(flags, depth+1) + ")"
	if !t.accept(')') {
		t.fail(at, "missing ), unterminated subpattern")
	}
	return text, 0
}

// named reads what follows (?P: a group's name.
func (t *translator) named(at int) {
	if t.accept('=') {
		t.unsupported(at, "a back-reference")
	}
	if !t.accept('<') {
		t.fail(at, "unknown extension ?P")
	}
	start := t.pos
	if !t.skipTo('>') {
		t.fail(at, "missing >, unterminated name")
	}
	name := string(t.src[start : t.pos-1])
	if !isIdentifier(name) {
		t.fail(start, "bad character in group name %q", name)
	}
	if slices.Contains(t.groups, name) {
		t.fail(start, "redefinition of group name %q", name)
	}
	t.groups = append(t.groups, name)
}

// isIdentifier is Python's str.isidentifier, but for a few characters of Unicode's backward compatibility.
func isIdentifier(s string) bool {
	for i, r := range s {
		isStart := r == '_' || unicode.In(r, unicode.L, unicode.Nl)
		if !isStart && (i == 0 || !unicode.In(r, unicode.Nd, unicode.Mn, unicode.Mc, unicode.Pc)) {
			return false
		}
	}
	return s != ""
}

// flags reads inline flags from their first character on. It returns the flags inside a group like (?i-s:…), or those that a global
// group like (?i) turns on.
func (t *translator) flags(at int, first rune, outer reFlags) (inner, global reFlags, isGlobal bool) {
	const types = flagASCII | flagUnicode
	var add, remove reFlags
	r := first
	for ; r != ')' && r != ':' && r != '-'; r = t.flagEnd(at) {
		if r == 'L' {
			t.fail(at, "flag L in a pattern of text")
		}
		add |= t.flag(at, r)
	}
	if add&types == types {
		t.fail(at, "flags a and u together")
	}
	if r == ')' {
		return 0, add, true
	}
	if r == '-' {
		if r = t.flagEnd(at); r == ':' {
			t.fail(at, "missing flag")
		}
		for ; r != ':'; r = t.flagEnd(at) {
			remove |= t.flag(at, r)
		}
	}
	switch {
	case remove&types != 0:
		t.fail(at, "flag a or u turned off")
	case add&remove != 0:
		t.fail(at, "a flag turned on and off")
	case add&types != 0:
		outer &^= types
	}
	return outer&^remove | add, 0, false
}

// flagEnd returns the next character among flags.
func (t *translator) flagEnd(at int) rune {
	k := t.next()
	if k.escaped || k.r < 0 {
		t.fail(at, "unterminated flags")
	}
	return k.r
}

// flag returns the flag of a letter.
func (t *translator) flag(at int, r rune) reFlags {
	i := strings.IndexRune(flagLetters, r)
	if i < 0 {
		t.fail(at, "unknown flag %q", r)
	}
	return 1 << i
}
