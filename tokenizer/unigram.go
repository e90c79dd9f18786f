package tokenizer

import (
	"slices"
	"unicode/utf8"
)

// A unigram is the model Unigram: the pieces of the greatest sum of scores, found by dynamic programming over the places that a piece can
// end at.
type unigram struct {
	pieces     *trie
	scores     []float64
	unknown    int32
	penalty    float64     // the score of a character that is no piece
	byteTokens *byteTokens // for characters that are no piece; nil without byte fallback
}

// A path is the best way to a place: its score, where its last piece starts (-1 if there is none) and the piece.
type path struct {
	score float64
	start int32
	id    int32
}

// pathsTo returns n+1 paths, of which the first is the empty one and the others are none.
func (e *encoder) pathsTo(n int) []path {
	paths := e.paths[:0]
	for range n + 1 {
		paths = append(paths, path{start: -1})
	}
	e.paths = paths
	return paths
}

func (m *unigram) encode(e *encoder, ids []int, word []byte) []int {
	paths := e.pathsTo(len(word))
	for start := 0; start < len(word); {
		_, size := utf8.DecodeRune(word[start:])
		score := paths[start].score
		single := false // there is a piece of the character alone
		state := int32(trieRoot)
		for end := start; end < len(word); {
			if state = m.pieces.next(state, word[end]); state < 0 {
				break
			}
			end++
			id := m.pieces.nodes[state].value
			if id < 0 {
				continue
			}
			// Of equal scores the piece that starts first stays.
			if to := &paths[end]; to.start < 0 || score+m.scores[id] > to.score {
				*to = path{score + m.scores[id], int32(start), id}
			}
			single = single || end == start+size
		}
		if !single {
			if to := &paths[start+size]; to.start < 0 || score+m.penalty > to.score {
				*to = path{score + m.penalty, int32(start), m.unknown}
			}
		}
		start += size
	}
	return m.backtrack(e, ids, word, paths)
}

// backtrack appends the tokens of the best path. Neighbours that are unknown are one; as a piece, should they be one together.
func (m *unigram) backtrack(e *encoder, ids []int, word []byte, paths []path) []int {
	spans := e.spans[:0] // last first
	for end := len(word); end > 0; {
		p := paths[end]
		start := int(p.start)
		if p.id == m.unknown {
			for start > 0 && paths[start].id == m.unknown {
				start = int(paths[start].start)
			}
			if id := m.pieces.get(word[start:end]); id >= 0 {
				p.id = id
			}
		}
		spans = append(spans, piece{start, end, p.id})
		end = start
	}
	e.spans = spans
	for _, s := range slices.Backward(spans) {
		if s.id == m.unknown && m.byteTokens != nil && m.pieces.get(word[s.start:s.end]) != m.unknown {
			if symbols, ok := m.byteTokens.appendTo(e.symbols[:0], string(word[s.start:s.end])); ok {
				e.symbols = symbols
				for _, id := range symbols {
					ids = append(ids, int(id))
				}
				continue
			}
		}
		ids = append(ids, int(s.id))
	}
	return ids
}

// A piece is a part of a word and its token.
type piece struct {
	start, end int
	id         int32
}
