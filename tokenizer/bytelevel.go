package tokenizer

import "unicode/utf8"

// Byte-level vocabularies spell bytes as characters: printable ones of Latin-1 as themselves, the others, in order, as those from U+0100
// on.

// byteChars returns the character of each byte.
func byteChars() (chars [256]rune) {
	next := rune(256)
	for b := range chars {
		if '!' <= b && b <= '~' || 0xA1 <= b && b <= 0xAC || 0xAE <= b {
			chars[b] = rune(b)
		} else {
			chars[b] = next
			next++
		}
	}
	return chars
}

// charBytes returns the byte of each character.
func charBytes() map[rune]byte {
	of := map[rune]byte{}
	for b, r := range byteChars() {
		of[r] = byte(b)
	}
	return of
}

// appendTokenBytes appends the bytes of a token, or, if it has a character that stands for none, the token itself.
func appendTokenBytes(dst []byte, of map[rune]byte, token []byte) []byte {
	from := len(dst)
	for rest := token; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		b, ok := of[r]
		if !ok {
			return append(dst[:from], token...)
		}
		dst = append(dst, b)
		rest = rest[n:]
	}
	return dst
}
