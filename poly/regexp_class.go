package poly

import (
	"fmt"
	"regexp/syntax"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// categories are Python's \d, \s and \w and their complements as Go's character classes, without the brackets. Python's \w has the
// letters, the numbers and the underscore of Unicode.
var categories = map[rune]string{
	'd': `\p{Nd}`,
	'D': `\P{Nd}`,
	's': `\t-\r\x{1c}-\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}`,
	'S': `\x{0}-\x{8}\x{e}-\x{1b}\x{21}-\x{84}\x{86}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}` +
		`\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{10ffff}`,
	'w': `\p{L}\p{N}_`,
}

// asciiCategories are the same under the flag a.
var asciiCategories = map[rune]string{
	'd': `0-9`,
	'D': `\x{0}-/:-\x{10ffff}`,
	's': `\t-\r `,
	'S': `\x{0}-\x{8}\x{e}-\x{1f}!-\x{10ffff}`,
	'w': `0-9A-Za-z_`,
	'W': `\x{0}-/:-@\x{5b}-\x{5e}\x{60}\x{7b}-\x{10ffff}`,
}

// notWord is the entry that categories lacks: the complement of several classes, which Go can only list.
var notWord = sync.OnceValue(func() string {
	class, err := syntax.Parse(`[^`+categories['w']+`]`, syntax.Perl)
	if err != nil {
		panic(err)
	}
	var b strings.Builder
	for i := 0; i < len(class.Rune); i += 2 {
		fmt.Fprintf(&b, `\x{%x}-\x{%x}`, class.Rune[i], class.Rune[i+1])
	}
	return b.String()
})

// category returns the class of \d, \D, \s, \S, \w or \W, and counts what it takes.
func (t *translator) category(at int, r rune, flags reFlags) (class string, ok bool) {
	switch {
	case flags&flagASCII != 0:
		class, ok = asciiCategories[r]
	case r == 'W':
		class, ok = notWord(), true
	default:
		class, ok = categories[r]
	}
	if t.size += len(class); t.size > maxPatternText {
		t.unsupported(at, "a pattern of this size")
	}
	return class, ok
}

// escape translates an escape sequence outside of a class, of which the backslash and r were read.
func (t *translator) escape(at int, r rune, flags reFlags) atom {
	switch r {
	case 'A':
		return atom{text: `\A`, position: true}
	case 'Z', 'z': // Python has \z since 3.14
		return atom{text: `\z`, position: true}
	case 'b', 'B':
		if flags&flagASCII == 0 {
			t.ascii = `\` + string(r)
		}
		return atom{text: `\` + string(r), position: true}
	}
	if unicode.IsUpper(r) {
		if complement, ok := t.category(at, unicode.ToLower(r), flags); ok {
			return atom{text: `[^` + complement + `]`}
		}
	}
	if class, ok := t.category(at, r, flags); ok {
		return atom{text: `[` + class + `]`}
	}
	if '1' <= r && r <= '9' {
		const octal = "01234567"
		digits := string(t.src[at+1 : min(at+4, len(t.src))])
		if len(digits) < 3 || strings.Trim(digits, octal) != "" {
			t.unsupported(at, "a back-reference")
		}
	}
	return atom{text: t.literal(at, t.character(at, r), flags)}
}

// class translates a character class after its opening bracket.
func (t *translator) class(at int, flags reFlags) string {
	var items strings.Builder
	opening := "["
	if t.accept('^') {
		opening = "[^"
	}
	for first := true; first || !t.accept(']'); first = false {
		start := t.pos
		low, category := t.classItem(at, flags)
		high := low
		if t.peekIn("-") && !t.endsAfterDash() {
			t.pos++
			var end string
			if high, end = t.classItem(at, flags); category != "" || end != "" || high < low {
				t.fail(start, "bad character range %s", string(t.src[start:t.pos]))
			}
		}
		if category != "" {
			items.WriteString(category)
			continue
		}
		fmt.Fprintf(&items, `\x{%x}-\x{%x}`, low, high)
		if flags&flagIgnoreCase != 0 {
			t.ignoreCase(at, high)
			writeCaseless(&items, low, high)
		}
	}
	return opening + items.String() + "]"
}

// writeCaseless adds the letters of the other case for those in a range of ASCII characters.
func writeCaseless(items *strings.Builder, low, high rune) {
	const toOther = 'a' - 'A'
	if from, to := max(low, 'A'), min(high, 'Z'); from <= to {
		fmt.Fprintf(items, `\x{%x}-\x{%x}`, from+toOther, to+toOther)
	}
	if from, to := max(low, 'a'), min(high, 'z'); from <= to {
		fmt.Fprintf(items, `\x{%x}-\x{%x}`, from-toOther, to-toOther)
	}
}

// endsAfterDash tells whether the dash at the position is the last character of its class, and so no range.
func (t *translator) endsAfterDash() bool {
	return t.pos+1 < len(t.src) && t.src[t.pos+1] == ']'
}

// classItem reads a character or a category inside the class that begins at the given position.
func (t *translator) classItem(at int, flags reFlags) (r rune, category string) {
	start := t.pos
	k := t.next()
	switch {
	case k.r < 0:
		t.fail(at, "unterminated character set")
	case !k.escaped:
		return k.r, ""
	case k.r == 'b':
		return '\b', ""
	}
	if class, ok := t.category(at, k.r, flags); ok {
		return 0, class
	}
	return t.character(start, k.r), ""
}

// character decodes an escape sequence that stands for one character, of which the backslash and r were read.
func (t *translator) character(at int, r rune) rune {
	const octal, hex = "01234567", "0123456789abcdefABCDEF"
	if i := strings.IndexRune("afnrtv", r); i >= 0 {
		return rune("\a\f\n\r\t\v"[i])
	}
	switch {
	case r == 'x':
		return t.code(at, t.take(2, hex), 2, 16)
	case r == 'u':
		return t.code(at, t.take(4, hex), 4, 16)
	case r == 'U':
		return t.code(at, t.take(8, hex), 8, 16)
	case r == 'N':
		t.unsupported(at, `a character by name (\N)`)
	case '0' <= r && r <= '7':
		digits := string(r) + t.take(2, octal)
		code := t.code(at, digits, len(digits), 8)
		if code > 0o377 {
			t.fail(at, "octal escape outside of range 0-0o377")
		}
		return code
	case r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)):
		t.fail(at, `bad escape \%c`, r)
	}
	return r
}

// code reads a character's number.
func (t *translator) code(at int, digits string, want, base int) rune {
	code, err := strconv.ParseUint(digits, base, 32)
	if err != nil || len(digits) != want || code > unicode.MaxRune {
		t.fail(at, "an incomplete or invalid escape")
	}
	return rune(code)
}
