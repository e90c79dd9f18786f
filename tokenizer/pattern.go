package tokenizer

import (
	"bytes"
	"regexp"
	"unicode/utf8"
)

// A pattern finds matches in a text, which is UTF-8. Matches are not empty.
type pattern interface {
	// find returns the first match at or after pos, or -1.
	find(text []byte, pos int) (start, end int)
}

// literal matches a text.
type literal []byte

func (p literal) find(text []byte, pos int) (int, int) {
	i := bytes.Index(text[pos:], p)
	if i < 0 {
		return -1, -1
	}
	return pos + i, pos + i + len(p)
}

// oneOf matches single characters.
type oneOf func(r rune) bool

func (p oneOf) find(text []byte, pos int) (int, int) {
	for pos < len(text) {
		r, n := rune(text[pos]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(text[pos:])
		}
		if p(r) {
			return pos, pos + n
		}
		pos += n
	}
	return -1, -1
}

// expression matches a regular expression, which must not look at what is before the match. Where it looks at what is behind, a group is the match.
type expression struct{ *regexp.Regexp }

func (p expression) find(text []byte, pos int) (int, int) {
	m := p.FindSubmatchIndex(text[pos:])
	if m == nil {
		return -1, -1
	}
	end := m[1]
	for i := 3; i < len(m); i += 2 {
		if m[i] >= 0 {
			end = m[i]
		}
	}
	return pos + m[0], pos + end
}

// words matches runs of word characters and runs of what is neither these nor white space.
type words struct{ properties *table }

func (p words) find(text []byte, pos int) (int, int) {
	const space = 2
	class := func(r rune) int {
		if isSpace(r) {
			return space
		}
		return int(p.properties.at(r) & isWord)
	}
	for pos < len(text) {
		r, n := utf8.DecodeRune(text[pos:])
		c := class(r)
		if c == space {
			pos += n
			continue
		}
		end := pos + n
		for end < len(text) {
			r, n := utf8.DecodeRune(text[end:])
			if class(r) != c {
				break
			}
			end += n
		}
		return pos, end
	}
	return -1, -1
}
