package tokenizer

import (
	"bytes"
	"math"
	"strings"
	"unicode/utf8"
)

// An spBPE merges neighbours whose texts together are a piece, that of the highest score first and of equals the leftmost.
type spBPE struct {
	ids     map[string]int32 // pieces that merges can make, unused ones included
	pieces  []spPiece
	unknown int32
	users   *trie
	whole   map[string]int32 // words that are one piece at the end
	words   bool             // no merge reaches from something else into a mark after it: words can be encoded one by one
}

func newSPBPE(m *sentencePiece) *spBPE {
	b := &spBPE{ids: map[string]int32{}, pieces: m.pieces, unknown: int32(m.unknown), users: m.users, words: true}
	for i, p := range m.pieces {
		if _, ok := m.ids[p.text]; !ok || p.kind != spNormal && p.kind != spUser && p.kind != spUnused {
			continue
		}
		b.ids[p.text] = int32(i)
		if p.kind == spUnused || strings.Contains(strings.TrimLeft(p.text, spMark), spMark) {
			b.words = false
		}
	}
	if b.words {
		whole := map[string]int32{}
		e := &spEncoder{}
		for text, id := range b.ids {
			e.spans = e.spans[:0]
			if b.word(e, []byte(text), 0); len(e.spans) == 1 && e.spans[0].id == id {
				whole[text] = id
			}
		}
		b.whole = whole
	}
	return b
}

func (b *spBPE) encode(e *spEncoder, text []byte) {
	if !b.words {
		b.word(e, text, 0)
		return
	}
	mark := []byte(spMark)
	for at := 0; at < len(text); {
		// Skip marks at the start, then go to the next.
		n := at
		for bytes.HasPrefix(text[n:], mark) {
			n += len(mark)
		}
		if i := bytes.Index(text[n:], mark); i >= 0 {
			n += i
		} else {
			n = len(text)
		}
		b.word(e, text[at:n], at)
		at = n
	}
}

// An spSymbol is a part of a word, which merges extend.
type spSymbol struct {
	start, end int // empty if it is merged into the one before
	prev, next int // symbols, or -1
	frozen     bool
}

// An spPair is two neighbours that merge.
type spPair struct {
	key  uint64 // orders pairs: the least first
	size int    // of both; if it is another by now, so is the pair
}

// word encodes a text that begins at some place of all.
func (b *spBPE) word(e *spEncoder, text []byte, at int) {
	if id, ok := b.whole[string(text)]; ok {
		e.spans = append(e.spans, piece{at, at + len(text), id})
		return
	}
	b.split(e, text)
	symbols := e.symbols
	e.heap = e.heap[:0]
	clear(e.parts)
	for i := 1; i < len(symbols); i++ {
		b.push(e, text, i-1, i)
	}
	for len(e.heap) > 0 {
		top := e.pop()
		left := int(uint32(top.key))
		l := &symbols[left]
		if l.next < 0 || l.start == l.end {
			continue
		}
		r := &symbols[l.next]
		if r.end-l.start != top.size {
			continue
		}
		l.end, l.next = r.end, r.next
		r.start = r.end
		if l.next >= 0 {
			symbols[l.next].prev = left
		}
		b.push(e, text, l.prev, left)
		b.push(e, text, left, l.next)
	}
	for i := 0; i >= 0 && i < len(symbols); i = symbols[i].next {
		b.emit(e, text[symbols[i].start:symbols[i].end], at+symbols[i].start, 0)
	}
}

// split makes symbols of user-defined symbols and of characters.
func (b *spBPE) split(e *spEncoder, text []byte) {
	e.symbols = e.symbols[:0]
	for pos := 0; pos < len(text); {
		n, frozen := 0, false
		if b.users != nil {
			_, n = b.users.longest(text[pos:])
			frozen = n > 0
		}
		if n == 0 {
			_, n = utf8.DecodeRune(text[pos:])
		}
		i := len(e.symbols)
		e.symbols = append(e.symbols, spSymbol{pos, pos + n, i - 1, i + 1, frozen})
		pos += n
	}
	if n := len(e.symbols); n > 0 {
		e.symbols[n-1].next = -1
	}
}

// push enters two neighbours if they merge.
func (b *spBPE) push(e *spEncoder, text []byte, left, right int) {
	if left < 0 || right < 0 {
		return
	}
	l, r := &e.symbols[left], &e.symbols[right]
	if l.frozen || r.frozen {
		return
	}
	id, ok := b.ids[string(text[l.start:r.end])]
	if !ok {
		return
	}
	// Float32 as integers of the same order, upside down.
	bits := math.Float32bits(b.pieces[id].score)
	if bits>>31 == 0 {
		bits = ^bits &^ (1 << 31)
	}
	e.push(spPair{uint64(bits)<<32 | uint64(uint32(left)), r.end - l.start})
	if b.pieces[id].kind == spUnused {
		if e.parts == nil {
			e.parts = map[string]int{}
		}
		e.parts[string(text[l.start:r.end])] = l.end - l.start
	}
}

// emit appends the pieces of a symbol. One that is not used is what it was merged from.
func (b *spBPE) emit(e *spEncoder, text []byte, at, depth int) {
	const limit = 100 // of sentencepiece
	id, ok := b.ids[string(text)]
	if !ok {
		id = b.unknown
	}
	if ok && b.pieces[id].kind == spUnused && depth <= limit {
		if n, ok := e.parts[string(text)]; ok {
			b.emit(e, text[:n], at, depth+1)
			b.emit(e, text[n:], at+n, depth+1)
			return
		}
		id = b.unknown
	}
	e.spans = append(e.spans, piece{at, at + len(text), id})
}

// push enters a pair into the heap.
func (e *spEncoder) push(p spPair) {
	e.heap = append(e.heap, p)
	i := len(e.heap) - 1
	for i > 0 && e.heap[(i-1)/2].key > p.key {
		e.heap[i] = e.heap[(i-1)/2]
		i = (i - 1) / 2
	}
	e.heap[i] = p
}

// pop takes the first pair from the heap.
func (e *spEncoder) pop() spPair {
	top, p := e.heap[0], e.heap[len(e.heap)-1]
	e.heap = e.heap[:len(e.heap)-1]
	i := 0
	for {
		child := 2*i + 1
		if child >= len(e.heap) {
			break
		}
		if child+1 < len(e.heap) && e.heap[child+1].key < e.heap[child].key {
			child++
		}
		if e.heap[child].key >= p.key {
			break
		}
		e.heap[i] = e.heap[child]
		i = child
	}
	if i < len(e.heap) {
		e.heap[i] = p
	}
	return top
}
