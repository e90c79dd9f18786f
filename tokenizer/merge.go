package tokenizer

import "math/rand/v2"

// A mergeTable has, for each pair of tokens that merge, the rank of the merge and the token that it makes.
type mergeTable struct {
	slots  []mergeSlot // a hash table of linear probing, at most half full
	factor uint64      // of the hash, drawn for each table: no file can be made for it whose pairs all meet
	shift  uint
}

type mergeSlot struct {
	pair  uint64 // the left token and the right one
	merge uint64 // the rank and the token, or noMerge if the slot is free
}

const noMerge = ^uint64(0)

func newMergeTable(n int) *mergeTable {
	t := &mergeTable{factor: rand.Uint64() | 1, shift: 64 - 4}
	for 1<<(64-t.shift) < 2*n {
		t.shift--
	}
	t.slots = make([]mergeSlot, 1<<(64-t.shift))
	for i := range t.slots {
		t.slots[i].merge = noMerge
	}
	return t
}

func (t *mergeTable) slot(left, right int32) *mergeSlot {
	pair := uint64(uint32(left))<<32 | uint64(uint32(right))
	for i := pair * t.factor >> t.shift; ; i++ {
		s := &t.slots[i&uint64(len(t.slots)-1)]
		if s.merge == noMerge || s.pair == pair {
			return s
		}
	}
}

// set enters a merge. Of one pair the last counts.
func (t *mergeTable) set(left, right, rank, token int32) {
	s := t.slot(left, right)
	s.pair = uint64(uint32(left))<<32 | uint64(uint32(right))
	s.merge = uint64(uint32(rank))<<32 | uint64(uint32(token))
}

// get returns a merge, or noMerge.
func (t *mergeTable) get(left, right int32) uint64 { return t.slot(left, right).merge }

// apply merges neighbours, the pair of lowest rank first and of equals the leftmost, until none is left. It overwrites symbols.
func (t *mergeTable) apply(e *encoder, symbols []int32) []int32 {
	const few = 40
	switch {
	case len(symbols) < 2:
		return symbols
	case len(symbols) <= few:
		return t.applyFew(e, symbols)
	}
	return t.applyMany(e, symbols)
}

// applyFew looks through all pairs for each merge.
func (t *mergeTable) applyFew(e *encoder, symbols []int32) []int32 {
	pairs := e.pairs[:0]
	for i := range len(symbols) - 1 {
		pairs = append(pairs, t.get(symbols[i], symbols[i+1]))
	}
	e.pairs = pairs
	for len(pairs) > 0 {
		best, at := noMerge, 0
		for i, p := range pairs {
			if p < best {
				best, at = p, i
			}
		}
		if best == noMerge {
			break
		}
		symbols[at] = int32(uint32(best))
		symbols = append(symbols[:at+1], symbols[at+2:]...)
		pairs = append(pairs[:at], pairs[at+1:]...)
		if at > 0 {
			pairs[at-1] = t.get(symbols[at-1], symbols[at])
		}
		if at < len(pairs) {
			pairs[at] = t.get(symbols[at], symbols[at+1])
		}
	}
	return symbols
}

// A link has the neighbours of a symbol, or -1.
type link struct{ prev, next int32 }

// applyMany keeps the pairs in a heap: n symbols take O(n log n).
func (t *mergeTable) applyMany(e *encoder, symbols []int32) []int32 {
	links, heap := e.links[:0], e.heap[:0]
	for i := range symbols {
		links = append(links, link{int32(i) - 1, int32(i) + 1})
	}
	links[len(links)-1].next = -1
	push := func(left, right int32) {
		if left >= 0 && right >= 0 {
			if m := t.get(symbols[left], symbols[right]); m != noMerge {
				heap = heapPush(heap, m>>32<<32|uint64(uint32(left)))
			}
		}
	}
	for i := range int32(len(symbols) - 1) {
		push(i, i+1)
	}
	for len(heap) > 0 {
		var top uint64
		top, heap = heapPop(heap)
		left := int32(uint32(top))
		right := links[left].next
		// The pair may have been merged into others since.
		if symbols[left] == noValue || right < 0 {
			continue
		}
		m := t.get(symbols[left], symbols[right])
		if m == noMerge || m>>32 != top>>32 {
			continue
		}
		symbols[left], symbols[right] = int32(uint32(m)), noValue
		next := links[right].next
		links[left].next = next
		if next >= 0 {
			links[next].prev = left
		}
		push(links[left].prev, left)
		push(left, next)
	}
	e.links, e.heap = links, heap
	out := symbols[:0]
	for _, s := range symbols {
		if s != noValue {
			out = append(out, s)
		}
	}
	return out
}

// heapPush adds a value to a heap that has the least first.
func heapPush(heap []uint64, v uint64) []uint64 {
	heap = append(heap, v)
	i := len(heap) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if heap[parent] <= v {
			break
		}
		heap[i] = heap[parent]
		i = parent
	}
	heap[i] = v
	return heap
}

// heapPop takes the least value.
func heapPop(heap []uint64) (uint64, []uint64) {
	top, v := heap[0], heap[len(heap)-1]
	heap = heap[:len(heap)-1]
	if len(heap) == 0 {
		return top, heap
	}
	i := 0
	for {
		child := 4*i + 1
		if child >= len(heap) {
			break
		}
		for c := child + 1; c < min(4*i+5, len(heap)); c++ {
			if heap[c] < heap[child] {
				child = c
			}
		}
		if heap[child] >= v {
			break
		}
		heap[i] = heap[child]
		i = child
	}
	heap[i] = v
	return top, heap
}
