package nn

import "github.com/polytropon/polytropon/mat"

// A target is a linear layer and what its output is put into or added to.
type target struct {
	layer *Linear
	y     mat.Matrix
}

// apply computes p.targets from x without a tape: their products in one call, and each adapter's in another.
func (p *Pass) apply(rows Ragged, x mat.Matrix, multiply func(*mat.Engine, []mat.Product)) {
	p.products = p.products[:0]
	for _, t := range p.targets {
		t.layer.check(p, rows, x, t.y)
		each(p, rows, t.layer, func(l *Linear, from, to int) {
			p.products = append(p.products, mat.Product{C: t.y.RowRange(from, to), A: x.RowRange(from, to), B: l.weight})
		})
	}
	p.Engine.Ahead(p.order.next(p.products))
	multiply(p.Engine, p.products)
	for _, t := range p.targets {
		if t.layer.bias == nil {
			continue
		}
		each(p, rows, t.layer, func(l *Linear, from, to int) {
			for i := from; i < to; i++ {
				p.Engine.AddRow(t.y.Row(i), l.bias)
			}
		})
	}
	for i := 0; p.addDeltas(rows, x, i); i++ {
	}
}

// addDeltas adds the low-rank products of every sequence's delta number i and tells whether any sequence has so many.
func (p *Pass) addDeltas(rows Ragged, x mat.Matrix, i int) bool {
	any := false
	p.lowRanks = p.lowRanks[:0]
	for _, s := range p.alike { // what they share is read once
		if i >= len(s.deltas) {
			continue
		}
		any = true
		for _, t := range p.targets {
			if lr, ok := s.deltas[i].LowRank[t.layer]; ok {
				from, to := rows[s.from], rows[s.to]
				p.lowRanks = append(p.lowRanks, mat.LowRankProduct{C: t.y.RowRange(from, to), A: x.RowRange(from, to), Down: lr.A, Up: lr.B})
			}
		}
	}
	if len(p.lowRanks) > 0 {
		p.Engine.MulAddLowRank(p.lowRanks)
	}
	return any
}
