package nn

import (
	"slices"

	"github.com/polytropon/polytropon/mat"
)

// ForwardLargest sets y to what ForwardTo sets it to, except that in row i elements that are not among the n[i] largest, nor equal to the last of those, may
// be -Inf; n[i] < 1 asks for all. Where nothing is added to the weight's product it reads a quarter of what ForwardTo reads, or half of 16-bit weights: the
// largest logits of a language model are those that a token is chosen from. The first call makes the 8-bit copy of the weight that this takes.
func (l *Linear) ForwardLargest(p *Pass, rows Ragged, y, x mat.Matrix, n []int) {
	l.check(p, rows, x, y)
	plain := len(n) > 0 && slices.Min(n) > 0
	each(p, rows, l, func(l *Linear, _, _ int) { plain = plain && l.bias == nil })
	for _, s := range p.segments {
		for _, d := range s.deltas {
			_, added := d.LowRank[l]
			plain = plain && !added
		}
	}
	if !plain {
		l.ForwardTo(p, rows, y, x)
		return
	}
	p.Engine.Ahead(p.order.end())
	each(p, rows, l, func(l *Linear, from, to int) {
		p.Engine.MulLargest(y.RowRange(from, to), x.RowRange(from, to), l.screen(), n[from:to])
	})
}
