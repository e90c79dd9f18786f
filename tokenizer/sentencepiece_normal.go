package tokenizer

import (
	"bytes"
	"unicode/utf8"
)

// An spNormalizer is the normalizer of a SentencePiece model.
type spNormalizer struct {
	spec  spSpec
	rules *charsmap
	users *trie // user-defined symbols, which stay as they are
}

// prefix returns what the beginning of src becomes and its length: a user-defined symbol, the longest key of the rules, a character, or a
// byte that is none.
func (n *spNormalizer) prefix(src []byte) (to []byte, size int) {
	if n.users != nil {
		if id, size := n.users.longest(src); id >= 0 {
			return src[:size], size
		}
	}
	if n.rules != nil {
		if to, size := n.rules.match(src, true); size > 0 {
			return to, size
		}
	}
	r, size := utf8.DecodeRune(src)
	if r == utf8.RuneError && size == 1 {
		return []byte(replacement), 1
	}
	return src[:size], size
}

// plain reports that an ASCII character stands for itself.
func (n *spNormalizer) plain(c byte) bool {
	return c < utf8.RuneSelf && c != ' ' && (n.rules == nil || n.rules.plain[c]) && (n.users == nil || !n.users.bytes[c])
}

// normalize returns what src becomes, in the memory of buf.
func (n *spNormalizer) normalize(buf, src []byte) []byte {
	dst := buf[:0]
	squeeze := n.spec.squeeze
	if squeeze {
		for len(src) > 0 {
			to, size := n.prefix(src)
			if string(to) != " " {
				break
			}
			src = src[size:]
		}
	}
	if len(src) == 0 {
		return dst
	}
	space := " "
	if n.spec.escape {
		space = spMark
	}
	if n.spec.dummy && !n.spec.suffix {
		dst = append(dst, space...)
	}
	spaced := squeeze // the last is a space, or nothing is there yet
	for len(src) > 0 {
		if c := src[0]; n.plain(c) {
			dst = append(dst, c)
			src = src[1:]
			spaced = false
			continue
		}
		to, size := n.prefix(src)
		src = src[size:]
		for spaced && len(to) > 0 && to[0] == ' ' {
			to = to[1:]
		}
		for _, c := range to {
			if c == ' ' {
				dst = append(dst, space...)
			} else {
				dst = append(dst, c)
			}
		}
		if len(to) > 0 {
			spaced = squeeze && to[len(to)-1] == ' '
		}
	}
	if squeeze {
		for bytes.HasSuffix(dst, []byte(space)) {
			dst = dst[:len(dst)-len(space)]
		}
	}
	if n.spec.dummy && n.spec.suffix {
		dst = append(dst, space...)
	}
	return dst
}
