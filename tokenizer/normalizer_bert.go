package tokenizer

import "unicode/utf8"

// bertNormalizer is BertNormalizer.
type bertNormalizer struct {
	clean, han, accents, lower bool
	properties                 *table
	nfd                        form
	spacing                    filter // removes nonspacing marks
	lowercase                  lowercase
	ascii                      [128]byte // what an ASCII character becomes; 0: nothing
}

func newBertNormalizer(clean, han, accents, lower bool) *bertNormalizer {
	b := &bertNormalizer{clean: clean, han: han, accents: accents, lower: lower, properties: properties(), lowercase: lowercase{lowerMap()}}
	b.spacing = func(r rune) bool { return r < utf8.RuneSelf || b.properties.at(r)&isNonspacing == 0 }
	if accents {
		b.nfd = nfd()
	}
	for c := range b.ascii {
		r, keep := rune(c), true
		if clean {
			r, keep = b.cleaned(r)
		}
		if lower && 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		if keep {
			b.ascii[c] = byte(r)
		}
	}
	return b
}

// cleaned returns what a character becomes, or false if it is removed.
func (b *bertNormalizer) cleaned(r rune) (rune, bool) {
	switch {
	case r == '\t' || r == '\n' || r == '\r':
		return ' ', true
	case r == 0 || r == utf8.RuneError || b.properties.at(r)&isOther != 0:
		return 0, false
	case isSpace(r):
		return ' ', true
	}
	return r, true
}

func (b *bertNormalizer) normalize(e *encoder, dst, src []byte) ([]byte, bool) {
	from := len(dst)
	first, ascii := true, true
	for pos := 0; pos < len(src); {
		if c := src[pos]; c < utf8.RuneSelf {
			if to := b.ascii[c]; to != 0 || !b.clean {
				dst = append(dst, to)
			} else if pos == 0 {
				first = false
			}
			pos++
			continue
		}
		r, n := utf8.DecodeRune(src[pos:])
		start := pos
		pos += n
		keep := true
		if b.clean {
			r, keep = b.cleaned(r)
		}
		switch {
		case !keep:
			if start == 0 {
				first = false
			}
		case b.han && isHan(r):
			dst = append(utf8.AppendRune(append(dst, ' '), r), ' ')
			ascii = false
		default:
			dst = utf8.AppendRune(dst, r)
			ascii = false
		}
	}
	if ascii || !b.accents && !b.lower {
		return dst, first
	}
	text := dst[from:]
	if b.accents {
		e.decomposed = b.nfd.apply(e, e.decomposed[:0], text)
		var kept bool
		dst, kept = b.spacing.normalize(e, dst[:from], e.decomposed)
		first = first && kept
		text = dst[from:]
	}
	if b.lower {
		e.decomposed, _ = b.lowercase.normalize(e, e.decomposed[:0], text)
		dst = append(dst[:from], e.decomposed...)
	}
	return dst, first
}

// isHan reports what BERT takes for Chinese characters.
func isHan(r rune) bool {
	switch {
	case r < 0x3400:
		return false
	case r <= 0x4DBF, 0x4E00 <= r && r <= 0x9FFF, 0xF900 <= r && r <= 0xFAFF:
		return true
	}
	return 0x20000 <= r && r <= 0x2A6DF || 0x2A700 <= r && r <= 0x2B73F || 0x2B740 <= r && r <= 0x2B81F || 0x2B920 <= r && r <= 0x2CEAF ||
		0x2F800 <= r && r <= 0x2FA1F
}
