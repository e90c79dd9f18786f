package tokenizer

import "strings"

// An spDecoding decodes a sequence.
type spDecoding struct {
	m     *sentencePiece
	begin bool   // nothing has been written, nor a space taken away
	bytes []byte // of byte pieces: the beginning of a character
}

// decode ignores skipSpecial: control pieces are never visible.
func (m *sentencePiece) decode(bool) decoding { return &spDecoding{m: m, begin: true} }

func (d *spDecoding) append(text []byte, id int) []byte {
	if id < 0 || id >= len(d.m.pieces) {
		return text
	}
	p := d.m.pieces[id]
	if p.kind == spByte {
		b, _ := byteToken([]byte(p.text))
		d.bytes = append(d.bytes, b)
		return d.characters(text, false)
	}
	text = d.characters(text, true)
	if p.kind == spControl {
		return text
	}
	s := p.text
	took := false
	if spec := d.m.spec; d.begin && (spec.dummy || spec.squeeze) {
		s, took = strings.CutPrefix(s, spMark)
		took = took && !spec.squeeze
	}
	if p.kind == spUnknown {
		s = d.m.surface
	} else {
		s = strings.ReplaceAll(s, spMark, " ")
	}
	d.begin = d.begin && !took && s == ""
	return append(text, s...)
}

// characters appends the characters of the bytes so far, and a U+FFFD for each byte that can be part of none; at the end, for all of them.
func (d *spDecoding) characters(text []byte, end bool) []byte {
	for len(d.bytes) > 0 {
		n, ok, short := firstChar(d.bytes)
		switch {
		case ok:
			text = append(text, d.bytes[:n]...)
		case short && !end:
			return text
		default:
			n = 1
			text = append(text, replacement...)
		}
		d.bytes = d.bytes[n:]
		d.begin = false
	}
	return text
}

func (d *spDecoding) end(text []byte) []byte { return d.characters(text, true) }
