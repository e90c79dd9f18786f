package tokenizer

import "unicode/utf8"

const replacement = "\uFFFD"

// firstChar returns the length of the character that b starts with. If it does not start with one, ok is false and n is the length of what
// one U+FFFD replaces: the longest beginning of a well-formed sequence, or one byte. short reports that b ends within a sequence that more
// bytes could complete. b must not be empty.
func firstChar(b []byte) (n int, ok, short bool) {
	lead := b[0]
	size, low, high := 0, byte(0x80), byte(0xBF)
	switch {
	case lead < 0x80:
		return 1, true, false
	case lead < 0xC2 || lead > 0xF4:
		return 1, false, false
	case lead < 0xE0:
		size = 2
	case lead < 0xF0:
		size = 3
	default:
		size = 4
	}
	switch lead {
	case 0xE0:
		low = 0xA0
	case 0xED:
		high = 0x9F
	case 0xF0:
		low = 0x90
	case 0xF4:
		high = 0x8F
	}
	for n = 1; n < size; n++ {
		if n == len(b) {
			return n, false, true
		}
		if b[n] < low || b[n] > high {
			return n, false, false
		}
		low, high = 0x80, 0xBF
	}
	return size, true, false
}

// appendValid appends text with what is not UTF-8 replaced.
func appendValid(dst []byte, text string) []byte {
	if utf8.ValidString(text) {
		return append(dst, text...)
	}
	return appendReplaced(dst, []byte(text))
}

// appendReplaced appends b with what is not UTF-8 replaced.
func appendReplaced(dst, b []byte) []byte {
	for len(b) > 0 {
		n, ok, _ := firstChar(b)
		if ok {
			dst = append(dst, b[:n]...)
		} else {
			dst = append(dst, replacement...)
		}
		b = b[n:]
	}
	return dst
}
