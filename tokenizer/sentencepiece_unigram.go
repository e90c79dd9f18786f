package tokenizer

import (
	"slices"
	"unicode/utf8"
)

// An spUnigram finds the pieces of the greatest sum of scores, in float32 as sentencepiece does: its roundings decide between paths that
// are nearly equal.
type spUnigram struct {
	pieces  *trie
	scores  []float32
	users   []bool // the pieces that are user-defined symbols: their length is their score
	unknown int32
	penalty float32 // the score of a character that is no piece
}

func newSPUnigram(m *sentencePiece) *spUnigram {
	u := &spUnigram{unknown: int32(m.unknown)}
	var keys []trieKey
	least, some := float32(0), false
	for i, p := range m.pieces {
		u.scores = append(u.scores, p.score)
		u.users = append(u.users, p.kind == spUser)
		if p.kind == spNormal || p.kind == spUser {
			keys = append(keys, trieKey{p.text, int32(i)})
		}
		if p.kind == spNormal && (!some || p.score < least) {
			least, some = p.score, true
		}
	}
	u.pieces = newTrie(keys)
	u.penalty = least - 10
	return u
}

// An spPath is the best way to a place: its score, where its last piece starts (-1 if there is none) and the piece.
type spPath struct {
	score float32
	start int32
	id    int32
}

// spReset is how large a sum may grow.
const spReset = 100000

func (u *spUnigram) encode(e *spEncoder, text []byte) {
	paths := e.paths[:0]
	for range len(text) + 1 {
		paths = append(paths, spPath{start: -1})
	}
	e.paths = paths
	frontier := 0 // the last place that has a path
	for start := 0; start < len(text); {
		score := paths[start].score
		// Sums that have grown large start again at zero.
		if score < -spReset || score > spReset {
			for i := start; i <= frontier; i++ {
				if i == start || paths[i].start >= 0 {
					paths[i].score -= score
				}
			}
			score = 0
		}
		_, size := utf8.DecodeRune(text[start:])
		single := false // there is a piece of the character alone
		state := int32(trieRoot)
		for end := start; end < len(text); {
			if state = u.pieces.next(state, text[end]); state < 0 {
				break
			}
			end++
			id := u.pieces.nodes[state].value
			if id < 0 {
				continue
			}
			frontier = max(frontier, end)
			sum := u.scores[id]
			if u.users[id] {
				sum = userScore(end - start)
			}
			sum += score
			// Of equal scores the piece that starts first stays.
			if to := &paths[end]; to.start < 0 || sum > to.score {
				*to = spPath{sum, int32(start), id}
			}
			single = single || end == start+size
		}
		if !single {
			frontier = max(frontier, start+size)
			if to := &paths[start+size]; to.start < 0 || u.penalty+score > to.score {
				*to = spPath{u.penalty + score, int32(start), u.unknown}
			}
		}
		start += size
	}
	from := len(e.spans)
	for end := len(text); end > 0; {
		p := paths[end]
		e.spans = append(e.spans, piece{int(p.start), end, p.id})
		end = int(p.start)
	}
	slices.Reverse(e.spans[from:])
}

// userScore is the score of a user-defined symbol of n bytes.
func userScore(n int) float32 { return float32(0.1 * float64(n-1)) }
