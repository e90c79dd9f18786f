package tokenizer

import (
	"bytes"
	"sync"
	"unicode/utf8"
)

// A normalizer appends a changed form of src to dst and reports whether the first character still stands for the first of src:
// pre-tokenizers that treat the beginning of a text otherwise depend on it.
type normalizer interface {
	normalize(e *encoder, dst, src []byte) (_ []byte, first bool)
}

func (f form) normalize(e *encoder, dst, src []byte) ([]byte, bool) {
	return f.apply(e, dst, src), true
}

// prepend puts a text before another that is not empty.
type prepend string

func (p prepend) normalize(_ *encoder, dst, src []byte) ([]byte, bool) {
	if len(src) == 0 {
		return dst, true
	}
	return append(append(dst, p...), src...), true
}

// replace puts a text in place of every match.
type replace struct {
	pattern pattern
	by      string
}

func (p replace) normalize(_ *encoder, dst, src []byte) ([]byte, bool) {
	first := true
	pos := 0
	for pos < len(src) {
		start, end := p.pattern.find(src, pos)
		if start < 0 {
			break
		}
		if start == 0 && (p.by == "" || utf8.RuneCount(src[:end]) > 1) {
			first = false
		}
		dst = append(dst, src[pos:start]...)
		dst = append(dst, p.by...)
		pos = end
	}
	return append(dst, src[pos:]...), first
}

// strip removes white space at the ends.
type strip struct{ left, right bool }

func (p strip) normalize(_ *encoder, dst, src []byte) ([]byte, bool) {
	n := len(src)
	if p.left {
		src = bytes.TrimLeftFunc(src, isSpace)
	}
	first := len(src) == n
	if p.right {
		src = bytes.TrimRightFunc(src, isSpace)
	}
	return append(dst, src...), first
}

// filter removes characters.
type filter func(r rune) bool

func (keep filter) normalize(_ *encoder, dst, src []byte) ([]byte, bool) {
	first := true
	for pos := 0; pos < len(src); {
		r, n := utf8.DecodeRune(src[pos:])
		if keep(r) {
			dst = append(dst, src[pos:pos+n]...)
		} else if pos == 0 {
			first = false
		}
		pos += n
	}
	return dst, first
}

func stripAccents() filter {
	properties := properties()
	return func(r rune) bool { return r < utf8.RuneSelf || properties.at(r)&isMark == 0 }
}

// lowercase lowers every character by itself: a final sigma is no other than the rest.
type lowercase struct{ of map[rune]rune }

var lowerMap = sync.OnceValue(func() map[rune]rune {
	pairs := []rune(lowerPairs)
	of := make(map[rune]rune, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		of[pairs[i]] = pairs[i+1]
	}
	return of
})

func (p lowercase) normalize(_ *encoder, dst, src []byte) ([]byte, bool) {
	for len(src) > 0 {
		c := src[0]
		if c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			dst = append(dst, c)
			src = src[1:]
			continue
		}
		r, n := utf8.DecodeRune(src)
		switch lower, ok := p.of[r]; {
		case ok:
			dst = utf8.AppendRune(dst, lower)
		case r == 'İ':
			dst = append(dst, "i\u0307"...)
		default:
			dst = append(dst, src[:n]...)
		}
		src = src[n:]
	}
	return dst, true
}

// nmt removes control characters and makes others that separate words spaces.
type nmt struct{}

func (nmt) normalize(_ *encoder, dst, src []byte) ([]byte, bool) {
	first := true
	for pos := 0; pos < len(src); {
		r, n := utf8.DecodeRune(src[pos:])
		switch {
		case 1 <= r && r <= 8, r == 0xB, 0xE <= r && r <= 0x1F, r == 0x7F, r == 0x8F, r == 0x9F:
			if pos == 0 {
				first = false
			}
		case r == '\t', r == '\n', r == '\f', r == '\r', r == 0x1680, 0x200B <= r && r <= 0x200F, r == 0x2028, r == 0x2029,
			r == 0x2581, r == 0xFEFF, r == utf8.RuneError:
			dst = append(dst, ' ')
		default:
			dst = append(dst, src[pos:pos+n]...)
		}
		pos += n
	}
	return dst, first
}

// precompiled applies SentencePiece's rules as the tokenizers package does: a grapheme cluster of less than six bytes as a whole if it
// starts with a key, of which the shortest counts, else character by character.
type precompiled struct {
	rules    *charsmap
	clusters *table
}

func (p precompiled) normalize(_ *encoder, dst, src []byte) ([]byte, bool) {
	for len(src) > 0 {
		// An ASCII character before another is a cluster, except for a line break of two.
		if c := src[0]; c < utf8.RuneSelf && p.rules.plain[c] && (len(src) == 1 || src[1] < utf8.RuneSelf) && c != '\r' {
			dst = append(dst, c)
			src = src[1:]
			continue
		}
		cluster := src[:graphemeLen(p.clusters, src)]
		src = src[len(cluster):]
		if len(cluster) < 6 {
			if to, n := p.rules.match(cluster, false); n > 0 {
				dst = append(dst, to...)
				continue
			}
		}
		for len(cluster) > 0 {
			_, n := utf8.DecodeRune(cluster)
			if to, matched := p.rules.match(cluster[:n], false); matched > 0 {
				dst = append(dst, to...)
			} else {
				dst = append(dst, cluster[:n]...)
			}
			cluster = cluster[n:]
		}
	}
	return dst, true
}
