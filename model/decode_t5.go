package model

import (
	"context"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
)

// cacheShape implements network.
func (t *t5) cacheShape() (layers, heads, headSize int) { return t.DecoderLayers, t.Heads, t.HeadSize }

// prepare implements network.
func (t *t5) prepare(ctx context.Context, p *nn.Pass, requests []decoded) error {
	batch := make([]Sequence, len(requests))
	for i, r := range requests {
		batch[i].InputIDs = r.input
	}
	rows, ids := gather(p, batch, func(s *Sequence) []int { return s.InputIDs })
	x, err := t.encode(ctx, p, rows, ids)
	if err != nil {
		return err
	}
	for _, b := range t.decoder.blocks {
		mark := p.Mark()
		k, v := b.cross.k.Forward(p, rows, x), b.cross.v.Forward(p, rows, x)
		for i := range requests {
			c := p.Engine.NewCache(t.Heads, t.HeadSize)
			c.Append(k.RowRange(rows[i], rows[i+1]), v.RowRange(rows[i], rows[i+1]))
			requests[i].encoded = append(requests[i].encoded, c)
		}
		p.Release(mark)
	}
	return nil
}

// advance implements network.
func (t *t5) advance(ctx context.Context, p *nn.Pass, s *step) (mat.Matrix, error) {
	x := t.decoder.tokens.Forward(p, s.rows, s.ids)
	self := nn.Attention{Heads: t.Heads, HeadSize: t.HeadSize, Causal: true}
	cross := nn.Attention{Heads: t.Heads, HeadSize: t.HeadSize}
	var bias nn.Bias
	for i := range t.decoder.blocks {
		if err := ctx.Err(); err != nil {
			return mat.Matrix{}, err
		}
		b := &t.decoder.blocks[i]
		if b.self.bias != nil {
			bias = b.self.bias.Forward(p, s.lengths(p))
		}
		mark := p.Mark()
		n := b.self.norm.Forward(p, s.rows, x)
		var y [3]autodiff.Value
		nn.ForwardEach(p, s.rows, n, y[:], b.self.q, b.self.k, b.self.v)
		x = b.self.o.ForwardAdd(p, s.rows, x, s.attend(p, i, self, y[0], y[1], y[2], bias))
		q := b.cross.q.Forward(p, s.rows, b.cross.norm.Forward(p, s.rows, x))
		x = b.cross.o.ForwardAdd(p, s.rows, x, s.attendEncoded(p, i, cross, q))
		x = b.feed.addTo(p, t.Activation, s.rows, x)
		p.Release(mark)
	}
	x = t.decoder.norm.ForwardInPlace(p, s.rows, x)
	if t.ScaleOutputs {
		x = nn.Scale(p, x, t.outputScale())
	}
	return s.last(p, x.Matrix), nil
}
