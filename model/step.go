package model

import (
	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
)

// A step is the new tokens of sequences in progress: some, or one each.
type step struct {
	rows    nn.Ragged
	ids     []int
	offsets []int // positions of the first new tokens
	caches  []*cache
	encoded []encoded
	wanted  nn.Ragged    // the rows of logits: those after the last of the new tokens
	largest []int        // how many of the largest are wanted of each row of logits, 0 for all
	layer   []*mat.Cache // of each sequence, in the layer at hand
}

// encoded is what the decoder's cross attention takes from the encoder's output for one request: keys and values in each layer.
type encoded []*mat.Cache

func (s *step) reset() {
	clear(s.caches) // of sequences that may be finished
	clear(s.encoded)
	clear(s.layer)
	*s = step{append(s.rows[:0], 0), s.ids[:0], s.offsets[:0], s.caches[:0], s.encoded[:0], append(s.wanted[:0], 0), s.largest[:0], s.layer}
}

// add adds a sequence with its new tokens, of which the last wanted are to be followed by logits, so many of the largest.
func (s *step) add(c *cache, e encoded, ids []int, wanted, largest int) {
	s.offsets = append(s.offsets, len(c.ids))
	c.ids = append(c.ids, ids...)
	s.ids = append(s.ids, ids...)
	s.rows = append(s.rows, len(s.ids))
	s.caches, s.encoded = append(s.caches, c), append(s.encoded, e)
	for range wanted {
		s.largest = append(s.largest, largest)
	}
	s.wanted = append(s.wanted, len(s.largest))
}

// attend returns the attention a, which is causal, of the new tokens' queries over all tokens so far of their sequences. It puts the
// new keys and values k and v into the caches.
func (s *step) attend(p *nn.Pass, layer int, a nn.Attention, q, k, v autodiff.Value, bias nn.Bias) autodiff.Value {
	s.layer = s.layer[:0]
	for _, c := range s.caches {
		s.layer = append(s.layer, c.layers[layer])
	}
	return autodiff.Constant(a.ForwardAppend(p, s.rows, s.offsets, q.Matrix, k.Matrix, v.Matrix, s.layer, bias))
}

// attendEncoded returns the attention a of the new tokens' queries over the encoder's output.
func (s *step) attendEncoded(p *nn.Pass, layer int, a nn.Attention, q autodiff.Value) autodiff.Value {
	s.layer = s.layer[:0]
	for _, e := range s.encoded {
		s.layer = append(s.layer, e[layer])
	}
	return autodiff.Constant(a.ForwardCached(p, s.rows, nil, q.Matrix, s.layer, nn.Bias{}))
}

// positions returns the position of every new token in its sequence, in the pass's memory.
func (s *step) positions(p *nn.Pass) []int {
	positions := p.Ints(len(s.ids))
	for i, offset := range s.offsets {
		for r := s.rows[i]; r < s.rows[i+1]; r++ {
			positions[r] = offset + r - s.rows[i]
		}
	}
	return positions
}

// lengths returns the layout of a row for each token so far, in the pass's memory.
func (s *step) lengths(p *nn.Pass) nn.Ragged {
	rows := nn.Ragged(p.Ints(len(s.rows)))
	rows[0] = 0
	for i, c := range s.caches {
		rows[i+1] = rows[i] + len(c.ids)
	}
	return rows
}

// last returns the rows of x whose logits are wanted: x itself where that is all.
func (s *step) last(p *nn.Pass, x mat.Matrix) mat.Matrix {
	if x.Rows == len(s.largest) {
		return x
	}
	y := p.Matrix(len(s.largest), x.Cols)
	for i := range s.caches {
		for r := s.wanted[i]; r < s.wanted[i+1]; r++ {
			copy(y.Row(r), x.Row(s.rows[i+1]-s.wanted[i+1]+r))
		}
	}
	return y
}
