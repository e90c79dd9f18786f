package tokenizer

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// A charsmap maps pieces of text to others: SentencePiece's precompiled normalisation rules. It is a length, a double array of that many
// bytes and the texts that its values point to, each ended by a zero byte. In a unit, bits 0 to 7 and 31 are the label, bit 8 says that a
// key ends here, bit 9 scales the offset in the bits above; the unit at offset holds the value of a key.
type charsmap struct {
	units []uint32
	texts []byte
	plain [128]bool // ASCII characters that no key starts with
}

// newCharsmap reads a precompiled charsmap.
func newCharsmap(data []byte) (*charsmap, error) {
	if len(data) < 4 {
		return nil, fail("", "got %d bytes of normalisation rules, want at least 4", len(data))
	}
	size := uint64(binary.LittleEndian.Uint32(data))
	data = data[4:]
	if size%4 != 0 || size > uint64(len(data)) {
		return nil, fail("", "got a trie of %d bytes within %d, want a multiple of 4 that fits", size, len(data))
	}
	m := &charsmap{units: make([]uint32, size/4), texts: data[size:]}
	for i := range m.units {
		m.units[i] = binary.LittleEndian.Uint32(data[4*i:])
	}
	if len(m.units) == 0 || !utf8.Valid(m.texts) {
		return nil, fail("", "got normalisation rules without a trie or with texts that are not UTF-8")
	}
	for text := range bytes.SplitSeq(m.texts, []byte{0}) {
		if len(text) > maxText {
			return nil, fail("", "got normalisation rules with a text of %d bytes, want at most %d", len(text), maxText)
		}
	}
	for c := range m.plain {
		m.plain[c] = c == 0 || m.child(m.offset(0), byte(c)) < 0
	}
	return m, nil
}

// offset returns where the children of the unit at pos are, before the exclusive or with their labels.
func (m *charsmap) offset(pos uint32) uint32 {
	unit := m.units[pos]
	return pos ^ (unit>>10)<<(unit&(1<<9)>>6)
}

// child returns the position of the child with label c, or -1.
func (m *charsmap) child(offset uint32, c byte) int64 {
	pos := offset ^ uint32(c)
	if uint64(pos) >= uint64(len(m.units)) || m.units[pos]&(1<<31|0xFF) != uint32(c) {
		return -1
	}
	return int64(pos)
}

// match finds a key that text starts with, the shortest or the longest, and what replaces it. n is 0 if there is none.
func (m *charsmap) match(text []byte, longest bool) (to []byte, n int) {
	offset := m.offset(0)
	for i, c := range text {
		if c == 0 {
			break
		}
		pos := m.child(offset, c)
		if pos < 0 {
			break
		}
		offset = m.offset(uint32(pos))
		if m.units[pos]&(1<<8) == 0 || uint64(offset) >= uint64(len(m.units)) {
			continue
		}
		start := m.units[offset] &^ (1 << 31)
		if uint64(start) >= uint64(len(m.texts)) {
			continue
		}
		to, n = m.texts[start:], i+1
		if !longest {
			break
		}
	}
	if end := bytes.IndexByte(to, 0); end >= 0 {
		to = to[:end]
	}
	return to, n
}
