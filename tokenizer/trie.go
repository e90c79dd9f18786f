package tokenizer

import (
	"slices"
	"strings"
)

// A trie finds which keys a text starts with. It is a double array: the child of state s for byte c is base[s]+c if that has s as its
// parent.
type trie struct {
	nodes []trieNode
	bytes [256]bool // which bytes keys start with
}

type trieNode struct {
	base, parent, value int32
}

// A trieKey is a key and the value, at least zero, that it leads to.
type trieKey struct {
	key   string
	value int32
}

const trieRoot = 0

// newTrie builds a trie. Of equal keys the last counts; empty ones are never found.
func newTrie(keys []trieKey) *trie {
	b := trieBuilder{free: 1}
	b.build(keys)
	t := &trie{nodes: b.nodes}
	t.nodes[trieRoot].value = noValue
	for c := range t.bytes {
		t.bytes[c] = t.next(trieRoot, byte(c)) >= 0
	}
	return t
}

// build sorts keys and makes their nodes.
func (b *trieBuilder) build(keys []trieKey) {
	slices.SortStableFunc(keys, func(a, b trieKey) int { return strings.Compare(a.key, b.key) })
	b.grow(256)
	b.nodes[trieRoot].parent = trieRoot
	// An inner node stands for the keys[from:to], which agree in their first depth bytes.
	type part struct {
		state           int32
		from, to, depth int
	}
	queue := []part{{trieRoot, 0, len(keys), 0}}
	var labels []byte
	var starts []int
	for len(queue) > 0 {
		p := queue[0]
		queue = queue[1:]
		for p.from < p.to && len(keys[p.from].key) == p.depth {
			b.nodes[p.state].value = keys[p.from].value
			p.from++
		}
		labels, starts = labels[:0], starts[:0]
		for i := p.from; i < p.to; i++ {
			if c := keys[i].key[p.depth]; len(labels) == 0 || labels[len(labels)-1] != c {
				labels, starts = append(labels, c), append(starts, i)
			}
		}
		if len(labels) == 0 {
			continue
		}
		base := b.place(labels)
		b.nodes[p.state].base = base
		starts = append(starts, p.to)
		for i, c := range labels {
			child := base + int32(c)
			b.nodes[child].parent = p.state
			queue = append(queue, part{child, starts[i], starts[i+1], p.depth + 1})
		}
	}
}

const (
	noParent = -1
	noValue  = -1
)

// next returns the state after byte c, or -1.
func (t *trie) next(state int32, c byte) int32 {
	n := t.nodes[state].base + int32(c)
	if uint(n) < uint(len(t.nodes)) && t.nodes[n].parent == state && n != trieRoot {
		return n
	}
	return -1
}

// longest returns the value and the length of the longest key that text starts with, or -1.
func (t *trie) longest(text []byte) (value int32, n int) {
	value = noValue
	state := int32(trieRoot)
	for i, c := range text {
		if state = t.next(state, c); state < 0 {
			break
		}
		if v := t.nodes[state].value; v >= 0 {
			value, n = v, i+1
		}
	}
	return value, n
}

// get returns the value of a key, or -1.
func (t *trie) get(key []byte) int32 {
	if value, n := t.longest(key); n == len(key) {
		return value
	}
	return noValue
}

type trieBuilder struct {
	nodes []trieNode
	free  int32 // where to look for free nodes
	tried int   // bases, so far
}

func (b *trieBuilder) grow(n int) {
	for len(b.nodes) < n {
		b.nodes = append(b.nodes, trieNode{base: 0, parent: noParent, value: noValue})
	}
}

// maxTried is how many bases a search may try before what it has passed is given up: so the time is bounded, whatever the keys. Real vocabularies need less.
const maxTried = 4000

// place finds a base under which the nodes of all labels, which ascend, are free.
func (b *trieBuilder) place(labels []byte) int32 {
	for int(b.free) < len(b.nodes) && b.nodes[b.free].parent != noParent {
		b.free++
	}
	first := int32(labels[0])
	start := max(b.free, first+1)
	tried, taken := int32(0), int32(0)
	for pos := start; ; pos++ {
		base := pos - first
		b.grow(int(base) + 256)
		tried++
		b.tried++
		if b.nodes[pos].parent != noParent {
			taken++
			continue
		}
		fits := true
		for _, c := range labels[1:] {
			if b.nodes[base+int32(c)].parent != noParent {
				fits = false
				break
			}
		}
		if fits {
			// Where nearly all is taken, or what is free is of little use, the next search need not look again.
			if tried > maxTried || tried > 64 && taken > tried/20*19 {
				b.free = pos
			}
			return base
		}
	}
}
