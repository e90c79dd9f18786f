package safetensors

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// maxDepth is how deep objects and arrays may nest. The format itself needs three.
const maxDepth = 4

// parser reads strict JSON (RFC 8259) from a text that is valid UTF-8. Unlike encoding/json it refuses duplicate keys and
// lone surrogates, and hands values to callbacks as it goes instead of storing them.
//
// A text is read twice: first with counting set, to learn how much memory the second reading needs. So that memory is
// allocated once, at its right size, and only for well-formed texts.
type parser struct {
	text  string
	pos   int
	depth int

	counting bool
	open     int      // keys of all objects that are open, while counting
	mostOpen int      // the largest value of open
	keys     []string // of all objects that are open, while not counting

	decoded []byte // the strings that had escapes, end to end; never moved or overwritten
}

// fail returns an error that points at the current position.
func (p *parser) fail(format string, args ...any) error {
	return &FormatError{Reason: fmt.Sprintf("byte %d of the JSON: ", p.pos) + fmt.Sprintf(format, args...)}
}

// found describes what stands at the current position.
func (p *parser) found() string {
	if p.pos == len(p.text) {
		return "the end"
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.pos:])
	return strconv.QuoteRune(r)
}

// peek skips white space and returns the next byte, or 0 at the end. A NUL in the text is never valid and also gives 0.
func (p *parser) peek() byte {
	for ; p.pos < len(p.text); p.pos++ {
		switch c := p.text[p.pos]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (p *parser) expect(c byte) error {
	if p.peek() != c || p.pos == len(p.text) {
		return p.fail("got %s, want %q", p.found(), c)
	}
	p.pos++
	return nil
}

// end reports an error unless only white space is left.
func (p *parser) end() error {
	if p.peek(); p.pos < len(p.text) {
		return p.fail("got %s, want the end", p.found())
	}
	return nil
}

// sequence reads what stands between two brackets and calls item at the start of each element.
func (p *parser) sequence(left, right byte, item func() error) error {
	if err := p.expect(left); err != nil {
		return err
	}
	if p.depth++; p.depth > maxDepth {
		return p.fail("values nested more than %d deep", maxDepth)
	}
	for first := true; ; first = false {
		if c := p.peek(); c == right && first {
			break
		}
		if err := item(); err != nil {
			return err
		}
		if c := p.peek(); c == right {
			break
		} else if c != ',' {
			return p.fail("got %s, want ',' or %q", p.found(), right)
		}
		p.pos++
	}
	p.pos++
	p.depth--
	return nil
}

// array calls item at the start of each element, which item must read.
func (p *parser) array(item func() error) error { return p.sequence('[', ']', item) }

// object calls member at the start of each value, which member must read. While counting, duplicates are not noticed.
func (p *parser) object(member func(key string) error) error {
	base, before := len(p.keys), p.open
	err := p.sequence('{', '}', func() error {
		key, err := p.string()
		if err != nil {
			return err
		}
		if err := p.expect(':'); err != nil {
			return err
		}
		if p.counting {
			p.open++
			p.mostOpen = max(p.mostOpen, p.open)
		} else {
			p.keys = append(p.keys, key)
		}
		return member(key)
	})
	if err != nil {
		return err
	}
	keys := p.keys[base:]
	slices.Sort(keys)
	for i := 1; i < len(keys); i++ {
		if keys[i] == keys[i-1] {
			return p.fail("duplicate key %s", quote(keys[i]))
		}
	}
	p.keys, p.open = p.keys[:base], before
	return nil
}

// string reads a string. The result shares the text's memory unless it had escapes.
func (p *parser) string() (string, error) {
	raw, escaped, err := p.rawString()
	if err != nil || !escaped {
		return raw, err
	}
	return p.unescape(raw), nil
}

// rawString checks a string and returns what stands between its quotes, escapes and all.
func (p *parser) rawString() (raw string, escaped bool, err error) {
	if p.peek() != '"' {
		return "", false, p.fail("got %s, want a string", p.found())
	}
	p.pos++
	for start := p.pos; p.pos < len(p.text); {
		switch c := p.text[p.pos]; {
		case c == '"':
			p.pos++
			return p.text[start : p.pos-1], escaped, nil
		case c == '\\':
			escaped = true
			if err := p.escape(); err != nil {
				return "", false, err
			}
		case c < ' ':
			return "", false, p.fail("raw control character %s in a string", p.found())
		default:
			p.pos++
		}
	}
	return "", false, p.fail("a string does not end")
}

// escape checks one escape sequence, or two that form a surrogate pair.
func (p *parser) escape() error {
	rest := p.text[p.pos:]
	if len(rest) >= 2 && strings.IndexByte(`"\/bfnrt`, rest[1]) >= 0 {
		p.pos += 2
		return nil
	}
	r, ok := codeUnit(rest)
	if !ok {
		return p.fail("invalid escape in a string")
	}
	p.pos += 6
	if !utf16.IsSurrogate(r) {
		return nil
	}
	low, ok := codeUnit(rest[6:])
	if !ok || utf16.DecodeRune(r, low) == utf8.RuneError {
		return p.fail("lone surrogate in a string")
	}
	p.pos += 6
	return nil
}

// codeUnit reads a \uXXXX at the start of s.
func codeUnit(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(s[2:6], 16, 16)
	return rune(v), err == nil
}

// unescape decodes a raw string that rawString has checked. Short strings share blocks of memory: an allocation for each
// would take several times their size.
func (p *parser) unescape(raw string) string {
	const block = 8 << 10
	out := p.decoded
	if len(raw) > cap(out)-len(out) {
		if len(raw) > block/16 {
			return text(appendUnescaped(make([]byte, 0, len(raw)), raw))
		}
		out = make([]byte, 0, block)
	}
	start := len(out)
	p.decoded = appendUnescaped(out, raw)
	return text(p.decoded[start:])
}

// appendUnescaped adds no more than len(raw) bytes.
func appendUnescaped(b []byte, raw string) []byte {
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			b = append(b, raw[i])
			i++
			continue
		}
		if c := raw[i+1]; c != 'u' {
			if k := strings.IndexByte("bfnrt", c); k >= 0 {
				c = "\b\f\n\r\t"[k]
			}
			b = append(b, c)
			i += 2
			continue
		}
		r, _ := codeUnit(raw[i:])
		i += 6
		if utf16.IsSurrogate(r) {
			low, _ := codeUnit(raw[i:])
			r = utf16.DecodeRune(r, low)
			i += 6
		}
		b = utf8.AppendRune(b, r)
	}
	return b
}

// text returns b as a string without a copy. The bytes must never change again.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// integer reads an integer of 0 or more that an int64 holds, written without sign, fraction or exponent.
func (p *parser) integer() (int64, error) {
	p.peek()
	start, v := p.pos, int64(0)
	for ; p.pos < len(p.text) && isDigit(p.text[p.pos]); p.pos++ {
		d := int64(p.text[p.pos] - '0')
		if v > (math.MaxInt64-d)/10 {
			return 0, p.fail("integer too large, want at most %d", int64(math.MaxInt64))
		}
		v = 10*v + d
	}
	switch {
	case p.pos == start:
		return 0, p.fail("got %s, want an integer of 0 or more", p.found())
	case p.text[start] == '0' && p.pos > start+1:
		return 0, p.fail("integer with a leading zero")
	case p.pos < len(p.text) && strings.IndexByte(".eE", p.text[p.pos]) >= 0:
		return 0, p.fail("got a fraction or an exponent, want an integer")
	}
	return v, nil
}

// skip reads any value.
func (p *parser) skip() error {
	switch c := p.peek(); {
	case c == '{':
		return p.object(func(string) error { return p.skip() })
	case c == '[':
		return p.array(p.skip)
	case c == '"':
		_, _, err := p.rawString()
		return err
	case c == '-' || isDigit(c):
		return p.number()
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if p.word(word) {
			return nil
		}
	}
	return p.fail("got %s, want a value", p.found())
}

// word skips a literal name if it comes next.
func (p *parser) word(w string) bool {
	p.peek()
	if !strings.HasPrefix(p.text[p.pos:], w) {
		return false
	}
	p.pos += len(w)
	return true
}

// number skips a number of any kind.
func (p *parser) number() error {
	digits := func() bool {
		start := p.pos
		for p.pos < len(p.text) && isDigit(p.text[p.pos]) {
			p.pos++
		}
		return p.pos > start
	}
	accept := func(set string) bool {
		if p.pos < len(p.text) && strings.IndexByte(set, p.text[p.pos]) >= 0 {
			p.pos++
			return true
		}
		return false
	}
	accept("-")
	ok := accept("0") || digits()
	if accept(".") {
		ok = ok && digits()
	}
	if accept("eE") {
		accept("+-")
		ok = ok && digits()
	}
	if !ok {
		return p.fail("malformed number")
	}
	return nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
