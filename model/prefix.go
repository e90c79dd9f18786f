package model

import (
	"slices"

	"github.com/polytropon/polytropon/nn"
)

// A prefix is the keys and values of a sequence, or of its beginning, as they are with deltas. A prompt that begins alike and has the same deltas needs not
// compute what it has in common with it.
type prefix struct {
	deltas []*nn.Delta
	cache  *cache
}

// within tells whether y has all that x has.
func (x *prefix) within(y *prefix) bool {
	return slices.Equal(x.deltas, y.deltas) && common(x.cache.ids, y.cache.ids) == len(x.cache.ids)
}

// prefixes are those that a batch keeps of requests that are over, in the order in which they were of use last.
type prefixes struct {
	kept         []prefix
	bytes, limit int
}

// keep adds x if it has what no other has, and is not too much by itself. What then is too much is forgotten.
func (p *prefixes) keep(x prefix) {
	size := x.cache.bytes()
	if size > p.limit || len(x.cache.ids) == 0 {
		return
	}
	if i := slices.IndexFunc(p.kept, func(k prefix) bool { return x.within(&k) }); i >= 0 {
		p.used(p.kept[i].cache)
		return
	}
	p.kept = slices.DeleteFunc(p.kept, func(k prefix) bool {
		superseded := k.within(&x)
		if superseded {
			p.bytes -= k.cache.bytes()
		}
		return superseded
	})
	p.kept = append(p.kept, x)
	p.bytes += size
	p.bound(p.limit)
}

// used says that c, if it is kept, has been of use.
func (p *prefixes) used(c *cache) {
	if i := slices.IndexFunc(p.kept, func(k prefix) bool { return k.cache == c }); i >= 0 {
		x := p.kept[i]
		p.kept = append(slices.Delete(p.kept, i, i+1), x)
	}
}

// bound sets the limit and forgets what has been of no use for longest, as far as it is above that.
func (p *prefixes) bound(limit int) {
	n := 0
	for p.limit = limit; p.bytes > limit; n++ {
		p.bytes -= p.kept[n].cache.bytes()
	}
	p.kept = slices.Delete(p.kept, 0, n)
}
