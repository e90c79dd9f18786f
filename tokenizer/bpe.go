package tokenizer

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// A bpe is the model BPE. In its dictionary, tokens of a byte-level vocabulary are the bytes they stand for.
type bpe struct {
	tokens map[string]int32
	merges *mergeTable
	whole  map[string]int32 // words that are one token at the end, whatever happens on the way

	byteLevel    bool
	units        [2][256]int32 // the token of a byte (byte-level) or an ASCII character, as the first of a word and later; or noValue
	prefix       string        // of a token that does not begin a word
	suffix       string        // of a token that ends a word
	unknown      int32         // the token for what has none, or noValue: it is left out
	fuse         bool          // neighbours without a token are unknown together
	byteTokens   *byteTokens   // for characters without a token; nil without byte fallback
	ignoreMerges bool
	mark         []byte // words can be split before a mark that follows something else; nil: they cannot
}

func (m *bpe) encode(e *encoder, ids []int, word []byte) []int {
	if m.mark == nil {
		return m.word(e, ids, word)
	}
	for len(word) > 0 {
		// Skip marks at the start, then go to the next.
		n := 0
		for bytes.HasPrefix(word[n:], m.mark) {
			n += len(m.mark)
		}
		if i := bytes.Index(word[n:], m.mark); i >= 0 {
			n += i
		} else {
			n = len(word)
		}
		ids = m.word(e, ids, word[:n])
		word = word[n:]
	}
	return ids
}

// word encodes one word.
func (m *bpe) word(e *encoder, ids []int, word []byte) []int {
	if id, ok := m.whole[string(word)]; ok {
		return append(ids, int(id))
	}
	e.symbols = m.split(e.symbols[:0], word)
	for _, id := range m.merges.apply(e, e.symbols) {
		ids = append(ids, int(id))
	}
	return ids
}

// split appends the tokens of the characters, or bytes, of a word.
func (m *bpe) split(symbols []int32, word []byte) []int32 {
	pending := int32(noValue) // an unknown token that others may be fused with
	for pos := 0; pos < len(word); {
		c, n := word[pos], 1
		if c >= utf8.RuneSelf && !m.byteLevel {
			_, n = utf8.DecodeRune(word[pos:])
		}
		later := min(pos, 1)
		var id int32
		if last := pos+n == len(word); n == 1 && (!last || m.suffix == "") {
			id = m.units[later][c]
		} else {
			id = m.lookup(word[pos:pos+n], pos > 0, last)
		}
		if id != noValue {
			if pending != noValue {
				symbols = append(symbols, pending)
				pending = noValue
			}
			symbols = append(symbols, id)
		} else if bytes, ok := m.fallBack(symbols, word[pos:pos+n], pos > 0, pos+n == len(word)); ok {
			symbols = bytes // and what is pending stays so
		} else if m.unknown != noValue {
			if pending != noValue && !m.fuse {
				symbols = append(symbols, pending)
			}
			pending = m.unknown
		}
		pos += n
	}
	if pending != noValue {
		symbols = append(symbols, pending)
	}
	return symbols
}

// lookup returns the token of a unit at its place in a word, or noValue.
func (m *bpe) lookup(unit []byte, later, last bool) int32 {
	if id, ok := m.tokens[m.affixed(unit, later, last)]; ok {
		return id
	}
	return noValue
}

// fallBack appends the tokens of the bytes of a unit, or reports that it has none.
func (m *bpe) fallBack(symbols []int32, unit []byte, later, last bool) ([]int32, bool) {
	if m.byteTokens == nil {
		return symbols, false
	}
	return m.byteTokens.appendTo(symbols, m.affixed(unit, later, last))
}

// affixed returns a unit with what its place in a word puts around it.
func (m *bpe) affixed(unit []byte, later, last bool) string {
	s := string(unit)
	if later {
		s = m.prefix + s
	}
	if last {
		s += m.suffix
	}
	return s
}

// prepare finds what makes encoding fast, given the tokens that merges make.
func (m *bpe) prepare(made []string) {
	for b := range 256 {
		for later := range m.units {
			id := int32(noValue)
			if b < utf8.RuneSelf || m.byteLevel {
				id = m.lookup([]byte{byte(b)}, later > 0, false)
			}
			m.units[later][b] = id
		}
	}
	if m.ignoreMerges {
		m.whole = m.tokens
		return
	}
	if m.prefix != "" || m.suffix != "" {
		return
	}
	m.whole = map[string]int32{}
	e := &encoder{}
	for token, id := range m.tokens {
		e.symbols = m.split(e.symbols[:0], []byte(token))
		if merged := m.merges.apply(e, e.symbols); len(merged) == 1 && merged[0] == id {
			m.whole[token] = id
		}
	}
	// No merge reaches from something else into a mark after it: then a text of many words falls apart into these.
	const mark = "▁"
	if _, ok := m.tokens[mark]; !ok || m.byteLevel {
		return
	}
	for _, token := range made {
		if rest := strings.TrimLeft(token, mark); strings.Contains(rest, mark) {
			return
		}
	}
	m.mark = []byte(mark)
}
