package model

import (
	"context"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
)

// cacheShape implements network.
func (m *llama) cacheShape() (layers, heads, headSize int) { return m.Layers, m.KVHeads, m.HeadSize }

// prepare implements network.
func (m *llama) prepare(context.Context, *nn.Pass, []decoded) error { return nil }

// advance implements network.
func (m *llama) advance(ctx context.Context, p *nn.Pass, s *step) (mat.Matrix, error) {
	x := m.tokens.Forward(p, s.rows, s.ids)
	angles := m.rope.angles(p, s.positions(p))
	for i := range m.layers {
		if err := ctx.Err(); err != nil {
			return mat.Matrix{}, err
		}
		mark := p.Mark()
		a := &m.layers[i].attention
		q, k, v := a.project(p, s.rows, x, angles)
		x = a.o.ForwardAdd(p, s.rows, x, s.attend(p, i, a.op, q, k, v, nn.Bias{}))
		x = m.layers[i].feed.addTo(p, s.rows, x)
		p.Release(mark)
	}
	x = m.norm.ForwardInPlace(p, s.rows, x)
	return s.last(p, x.Matrix), nil
}
