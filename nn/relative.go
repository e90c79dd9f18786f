package nn

import (
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// RelativeBias is T5's relative attention bias: a score per head that depends on how far a key lies from the query, by buckets.
type RelativeBias struct {
	Buckets, Heads int
	Bidirectional  bool
	weight         []float32       // buckets × heads
	starts         []int           // starts[b] is the shortest distance in bucket b of one direction
	param          *autodiff.Param // has weight as its value where the layer is trained
}

// NewRelativeBias returns a bias with the table weight, buckets × heads, which it keeps. The last bucket has the distances from about
// maxDistance on. With bidirectional (an encoder) keys after the query have the upper half of the buckets; otherwise (a decoder) they count as
// distance 0. Each direction has at least two buckets, and maxDistance is more than half of their number.
func NewRelativeBias(weight []float32, buckets, heads, maxDistance int, bidirectional bool) *RelativeBias {
	Weights{F32: weight}.check(buckets, heads)
	n := buckets
	if bidirectional {
		n /= 2
	}
	if n < 2 || maxDistance <= n/2 || bidirectional && buckets%2 != 0 {
		panic(fmt.Sprintf("nn: relative bias of %d buckets (bidirectional: %t) up to distance %d", buckets, bidirectional, maxDistance))
	}
	return &RelativeBias{buckets, heads, bidirectional, weight, bucketStarts(n, maxDistance), nil}
}

// bucketStarts returns the shortest distance of each of n buckets: one for each distance below e = n/2, then logarithmic ones. Bucket
// e + j begins where ln(d/e)/ln(M/e)·(n−e) ≥ j (_relative_position_bucket in transformers' modeling_t5.py), that is where
// d^(n−e)·e^j ≥ M^j·e^(n−e), which integers decide exactly. (transformers decides in float32, which at some unusual sizes, such as 17
// buckets up to 27, puts a distance where both sides are equal in the bucket before.)
func bucketStarts(n, maxDistance int) []int {
	e := n / 2
	pow := func(x, y int) *big.Int { return new(big.Int).Exp(big.NewInt(int64(x)), big.NewInt(int64(y)), nil) }
	starts := make([]int, n)
	for b := range n {
		if b <= e {
			starts[b] = b
			continue
		}
		j := b - e
		begins := new(big.Int).Mul(pow(maxDistance, j), pow(e, n-e))
		reached := func(d int) bool { return new(big.Int).Mul(pow(d, n-e), pow(e, j)).Cmp(begins) >= 0 }
		// The floating-point solution is at most one off; any error in it costs time only.
		d := max(int(float64(e)*math.Pow(float64(maxDistance)/float64(e), float64(j)/float64(n-e))), starts[b-1])
		for !reached(d) {
			d++
		}
		for d > starts[b-1] && reached(d-1) {
			d--
		}
		starts[b] = d
	}
	return starts
}

// bucket returns the bucket of a key that lies offset after the query (negative: before it).
func (r *RelativeBias) bucket(offset int) int {
	first, d := 0, -offset
	if r.Bidirectional && offset > 0 {
		first, d = r.Buckets/2, offset
	}
	d = max(d, 0)
	b := len(r.starts) - 1
	for r.starts[b] > d {
		b--
	}
	return first + b
}

// Params implements Layer.
func (r *RelativeBias) Params() []ParamInfo {
	return []ParamInfo{{"weight", []int{r.Buckets, r.Heads}}}
}

// Values implements Layer.
func (r *RelativeBias) Values() map[string]Weights {
	return map[string]Weights{"weight": {F32: r.weight}}
}

// With implements Layer.
func (r *RelativeBias) With(_ *mat.Engine, values map[string]Weights) Layer {
	w := values["weight"]
	w.check(r.Buckets, r.Heads)
	with := *r
	with.weight = w.Float32s()
	return &with
}

// WithParams implements Layer.
func (r *RelativeBias) WithParams(params map[string]*autodiff.Param) Layer {
	with := *r
	with.param = params["weight"]
	with.weight = with.param.Value.Data
	return &with
}

// A Bias is what Attention adds to the scores.
type Bias struct {
	// Vectors has for each sequence heads × 2·n−1 values, where n is at least the sequence's length and column n−1+o is for a key that lies o after
	// the query.
	Vectors []mat.Matrix

	trained autodiff.Value // all of Vectors, where they are trained
}

// Forward returns the biases of the sequences of rows. Neighbours with the same table share them.
func (r *RelativeBias) Forward(p *Pass, rows Ragged) Bias {
	p.check(rows)
	start, n := len(p.views), max(rows.Longest(), 1)
	var b Bias
	if p.Tape != nil {
		b.trained = inPlaceOf(p, r).record(p.Tape, n)
		for range rows.Sequences() {
			p.views = append(p.views, b.trained.Matrix)
		}
	}
	for i, s := range p.segments {
		l := layer(s, r)
		var v mat.Matrix
		if i > 0 && layer(p.segments[i-1], r) == l {
			v = p.views[len(p.views)-1]
		} else {
			v = p.Matrix(r.Heads, 2*n-1)
			l.spread(v)
		}
		for range s.to - s.from {
			p.views = append(p.views, v)
		}
	}
	b.Vectors = slices.Clip(p.views[start:])
	return b
}

// spread sets v, heads rows of length 2·n−1: column n−1+o of row h is what is added to head h's score of a key that lies o after the
// query. A query at position i of up to n finds its row of biases, by key, from column n−1−i on.
func (r *RelativeBias) spread(v mat.Matrix) {
	n := (v.Cols + 1) / 2
	for c := range v.Cols {
		b := r.bucket(c - (n - 1))
		for h := range r.Heads {
			v.Data[h*v.Stride+c] = r.weight[b*r.Heads+h]
		}
	}
}

func (r *RelativeBias) record(t *autodiff.Tape, n int) autodiff.Value {
	table := parameter(t, r.param, r.weight, r.Buckets, r.Heads)
	v := t.New(r.Heads, 2*n-1, t.Needs(table))
	r.spread(v.Matrix)
	if v.Needs() {
		*autodiff.Record[spreadOp](t) = spreadOp{r, v, table}
	}
	return v
}

// spreadOp is a table spread over distances.
type spreadOp struct {
	bias          *RelativeBias
	vector, table autodiff.Value
}

// Backward implements autodiff.Op: a bucket's gradient is the sum over its distances, in ascending order.
func (o *spreadOp) Backward(t *autodiff.Tape) {
	g, ok := t.Grad(o.vector)
	if !ok {
		return
	}
	d, _ := t.Into(o.table)
	n := (g.Cols + 1) / 2
	for c := range g.Cols {
		b := o.bias.bucket(c - (n - 1))
		for h := range g.Rows {
			d.Row(b)[h] += g.Row(h)[c]
		}
	}
}
