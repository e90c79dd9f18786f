package nn

import (
	"fmt"
	"slices"

	"github.com/polytropon/polytropon/mat"
)

// A Pass carries what one call of a model needs and its layers share. It belongs to one goroutine at a time and can be used again,
// with its memory, through Reset.
type Pass struct {
	Engine *mat.Engine

	deltas   [][]*Delta // of each sequence
	segments []segment
	products []mat.Product
	views    []mat.Matrix // that layers return lists of
	arena
}

// A segment is a run of sequences that ask for the same deltas.
type segment struct {
	from, to int // sequences
	deltas   []*Delta
}

// NewPass returns a pass without sequences.
func NewPass(e *mat.Engine) *Pass { return &Pass{Engine: e} }

// Reset makes p ready for a batch whose sequence i asks for deltas[i], in the order in which they are added, and keeps deltas. All of p's
// matrices are freed. It is an error that two deltas of one sequence replace the same layer.
func (p *Pass) Reset(deltas [][]*Delta) error {
	p.Release(Mark{})
	p.deltas, p.segments, p.views = deltas, p.segments[:0], p.views[:0]
	for i, d := range deltas {
		if err := checkReplaced(d); err != nil {
			return fmt.Errorf("sequence %d: %w", i, err)
		}
		if n := len(p.segments); n > 0 && slices.Equal(p.segments[n-1].deltas, d) {
			p.segments[n-1].to = i + 1
			continue
		}
		p.segments = append(p.segments, segment{i, i + 1, d})
	}
	return nil
}

func checkReplaced(deltas []*Delta) error {
	for i, d := range deltas {
		for base := range d.Replaced {
			for _, other := range deltas[:i] {
				if _, twice := other.Replaced[base]; twice {
					return fmt.Errorf("nn: two of its adapters have a copy of the same module (modules_to_save); only one of them can be used")
				}
			}
		}
	}
	return nil
}

// check panics unless rows is a layout of as many sequences as the pass has.
func (p *Pass) check(rows Ragged) {
	if rows.Sequences() != len(p.deltas) {
		panic(fmt.Sprintf("nn: rows of %d sequences in a pass of %d", rows.Sequences(), len(p.deltas)))
	}
}

// layer returns what stands for base in the sequences of s.
func layer[L Layer](s segment, base L) L {
	for _, d := range s.deltas {
		if l, ok := d.Replaced[base]; ok {
			return l.(L)
		}
	}
	return base
}

// each calls f for every longest run of rows that use the same layer in base's place.
func each[L interface {
	Layer
	comparable
}](p *Pass, rows Ragged, base L, f func(l L, from, to int)) {
	p.check(rows)
	for i := 0; i < len(p.segments); {
		l, from := layer(p.segments[i], base), p.segments[i].from
		for i++; i < len(p.segments) && layer(p.segments[i], base) == l; i++ {
		}
		f(l, rows[from], rows[p.segments[i-1].to])
	}
}
