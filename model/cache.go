package model

import "github.com/polytropon/polytropon/mat"

// A cache holds the keys and values of a sequence in progress, in every layer, so that a step computes only those of its new tokens.
// They depend on nothing but the tokens up to their own.
type cache struct {
	ids    []int // the tokens whose keys and values there are, or will be at the end of the step
	layers []*mat.Cache
}

// become makes c the first tokens of from. What both begin with is not copied.
func (c *cache) become(from *cache, tokens int) {
	same := common(c.ids, from.ids[:tokens])
	c.ids = append(c.ids[:same], from.ids[same:tokens]...)
	for i, l := range c.layers {
		l.CopyFrom(from.layers[i], tokens, same)
	}
}

// common returns how many ids a and b begin with that are the same.
func common(a, b []int) int {
	n := min(len(a), len(b))
	for i, id := range a[:n] {
		if id != b[i] {
			return i
		}
	}
	return n
}

// truncate leaves the first tokens.
func (c *cache) truncate(tokens int) {
	c.ids = c.ids[:tokens]
	for _, l := range c.layers {
		l.Truncate(tokens)
	}
}

// reserve makes room for so many tokens and, up to some hundred, as many as are to come. A cache that has to grow copies all that it has, while other sequences
// wait: so layers run out of room at different steps.
func (c *cache) reserve(tokens, more int) {
	for i, l := range c.layers {
		l.Reserve(tokens + min(more, 256+256*i/len(c.layers)))
	}
}

// bytes returns how much memory c takes.
func (c *cache) bytes() int {
	n := 0
	for _, l := range c.layers {
		n += l.Bytes()
	}
	return n
}
