package tokenizer

import "unicode/utf8"

// A wordPiece is the model WordPiece: the longest token that a word starts with, then the longest that its rest starts with, and so on; one
// unknown token for a word that this does not work for.
type wordPiece struct {
	first, later *trie // tokens, and those that begin with the prefix of a continued word, without it
	unknown      int32
	maxChars     uint32 // a longer word is unknown
}

func (m *wordPiece) encode(_ *encoder, ids []int, word []byte) []int {
	from := len(ids)
	chars := uint64(0)
	for _, c := range word {
		if utf8.RuneStart(c) {
			chars++
		}
	}
	if chars > uint64(m.maxChars) {
		return append(ids, int(m.unknown))
	}
	tokens := m.first
	for len(word) > 0 {
		id, n := tokens.longest(word)
		if id < 0 {
			return append(ids[:from], int(m.unknown))
		}
		ids = append(ids, int(id))
		word = word[n:]
		tokens = m.later
	}
	return ids
}
