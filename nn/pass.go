package nn

import (
	"fmt"
	"slices"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// A Pass carries what one call of a model needs and its layers share. It belongs to one goroutine at a time and can be used again,
// with its memory, through Reset or ResetTraining.
//
// Layers take and return autodiff.Values. With a tape they record what they do and keep every value. Without one, values are plain matrices in the
// pass's memory, which may be released, and a method whose name says so works in place.
type Pass struct {
	Engine *mat.Engine
	Tape   *autodiff.Tape // nil where nothing is trained

	// Recompute says that a pass with a tape keeps only what lies between the blocks of a model and computes the rest again on the way back: less
	// memory and one more forward pass, with the same bits. Resetting leaves it as it is.
	Recompute bool

	mat.Arena
	sequences int
	trained   *Trained
	segments  []segment
	alike     []segment // the same, those that ask for the same deltas next to each other
	targets   []target
	products  []mat.Product
	lowRanks  []mat.LowRankProduct
	order     order
	views     []mat.Matrix // that layers return lists of
	ints      []int
}

// A segment is a run of sequences that ask for the same deltas.
type segment struct {
	from, to int // sequences
	deltas   []*Delta
}

// NewPass returns a pass without sequences.
func NewPass(e *mat.Engine) *Pass { return &Pass{Engine: e} }

// Reset makes p ready for a batch whose sequence i asks for deltas[i], in the order in which they are added, and keeps deltas. All of p's
// matrices are freed. Deltas of a sequence that cannot be used together ([CheckDeltas]) are an error.
func (p *Pass) Reset(deltas [][]*Delta) error {
	p.Release(mat.Mark{})
	p.Tape, p.trained = nil, nil
	p.sequences, p.segments, p.views = len(deltas), p.segments[:0], p.views[:0]
	p.ints, p.order.at = p.ints[:0], 0
	for i, d := range deltas {
		if err := CheckDeltas(d); err != nil {
			return fmt.Errorf("sequence %d: %w", i, err)
		}
		if n := len(p.segments); n > 0 && slices.Equal(p.segments[n-1].deltas, d) {
			p.segments[n-1].to = i + 1
			continue
		}
		p.segments = append(p.segments, segment{i, i + 1, d})
	}
	p.alike = p.alike[:0]
	for _, s := range p.segments {
		at := len(p.alike)
		for i, other := range p.alike {
			if slices.Equal(other.deltas, s.deltas) {
				at = i
				break
			}
		}
		p.alike = slices.Insert(p.alike, at, s)
	}
	return nil
}

// Ints returns n integers of arbitrary value that belong to the pass until it is reset: token ids, say.
func (p *Pass) Ints(n int) []int {
	p.ints = slices.Grow(p.ints, n)[:len(p.ints)+n] // what was handed out before keeps its memory where this moves
	return p.ints[len(p.ints)-n : len(p.ints) : len(p.ints)]
}

// CheckDeltas says why a sequence cannot ask for all of deltas: two of them replace the same layer.
func CheckDeltas(deltas []*Delta) error {
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
	if rows.Sequences() != p.sequences {
		panic(fmt.Sprintf("nn: rows of %d sequences in a pass of %d", rows.Sequences(), p.sequences))
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
