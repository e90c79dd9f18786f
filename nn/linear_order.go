package nn

import (
	"slices"

	"github.com/polytropon/polytropon/mat"
)

// An order remembers the groups of products of a pass, one after another. The next pass, a token later say, most likely computes the same, so that the
// engine can be told what comes ahead.
type order struct {
	products []mat.Product
	ends     []int // of each group, in products
	at       int   // groups that this pass has computed so far
}

// next takes the group that is about to be computed, and returns the one that came after it last time: after the last one the first; nothing where the
// pass is not as the last one was.
func (o *order) next(group []mat.Product) []mat.Product {
	i := o.at
	o.at++
	if i == len(o.ends) || !slices.EqualFunc(o.group(i), group, func(a, b mat.Product) bool { return a.B == b.B }) {
		o.products = append(o.products[:o.start(i)], group...)
		o.ends = append(o.ends[:i], len(o.products))
		return nil
	}
	copy(o.group(i), group) // its rows may be others
	return o.group((i + 1) % len(o.ends))
}

// end says that the pass computes no more groups, and returns the first one of the next.
func (o *order) end() []mat.Product {
	if o.at == 0 {
		return nil
	}
	o.products, o.ends = o.products[:o.ends[o.at-1]], o.ends[:o.at]
	return o.group(0)
}

func (o *order) group(i int) []mat.Product { return o.products[o.start(i):o.ends[i]] }

func (o *order) start(i int) int {
	if i == 0 {
		return 0
	}
	return o.ends[i-1]
}
