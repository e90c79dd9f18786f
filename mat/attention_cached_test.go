package mat

import (
	"math/rand/v2"
	"testing"
)

// TestAttentionCachedGivesTheBitsOfOneCall feeds sequences piece by piece, with the keys of each in a matrix of its own, and compares with one
// causal call.
func TestAttentionCachedGivesTheBitsOfOneCall(t *testing.T) {
	for _, c := range []attentionCase{
		{heads: 4, size: 16, causal: true, bias: true, queries: []int{1, 40, 20}},
		{heads: 6, size: 16, causal: true, queries: []int{50, 33}, kvHeads: 2, scale: 0.25},
		{heads: 9, size: 64, causal: true, queries: []int{70}, kvHeads: 3, scale: 0.125},
		{heads: 3, size: 5, causal: true, bias: true, queries: []int{60, 7}, kvHeads: 1, scale: 0.4, window: 9},
		{heads: 2, size: 20, causal: true, queries: []int{1050}, kvHeads: 1, scale: 0.3, window: 521},
		{heads: 4, size: 24, causal: true, bias: true, queries: []int{700, 100}, kvHeads: 2, scale: 0.3, window: 65},
		{heads: 2, size: 40, causal: true, queries: []int{1100}, kvHeads: 1, scale: 0.3, window: 530},
		{heads: 1, size: 530, causal: true, queries: []int{530}},
	} {
		t.Run(c.String(), func(t *testing.T) {
			engines(t, func(t *testing.T, e *Engine) {
				if e.Level() == "generic" && c.queries[0] > 100 {
					t.Skip("as on the others, slowly")
				}
				o := c.operands(1)
				e.Attention(o.out, o.q, o.k, o.v, o.Attention)
				rnd := rand.New(rand.NewPCG(1, 1))
				n := len(c.queries)
				done := make([]int, n) // of each sequence
				for {
					a := o.Attention
					a.Queries, a.Keys, a.Offsets, a.Bias = []int{0}, nil, nil, nil
					var k, v []Matrix
					var rows []int
					for s, length := range c.queries {
						next := min(length-done[s], 1)
						if rnd.IntN(8) == 0 {
							next = min(length-done[s], rnd.IntN(30))
						}
						a.Offsets = append(a.Offsets, done[s])
						a.Queries = append(a.Queries, a.Queries[s]+next)
						for i := range next {
							rows = append(rows, o.Queries[s]+done[s]+i)
						}
						done[s] += next
						k = append(k, o.k.RowRange(o.Keys[s], o.Keys[s]+done[s]))
						v = append(v, o.v.RowRange(o.Keys[s], o.Keys[s]+done[s]))
						if o.Bias != nil {
							a.Bias = append(a.Bias, o.Bias[s])
						}
					}
					if rest := o.q.Rows; sum(done) == rest && len(rows) == 0 {
						break
					}
					q, out := New(len(rows), o.q.Cols), New(len(rows), o.q.Cols)
					for i, r := range rows {
						copy(q.Row(i), o.q.Row(r))
					}
					e.AttentionCached(out, q, k, v, a)
					for i, r := range rows {
						for j, got := range out.Row(i) {
							if want := o.out.Row(r)[j]; !same(got, want) {
								t.Fatalf("row %d, column %d: %x with a cache, %x in one call", r, j, got, want)
							}
						}
					}
				}
			})
		})
	}
}

func sum(values []int) (s int) {
	for _, v := range values {
		s += v
	}
	return s
}

// TestAttentionCachedAcross has no causality: the keys of other sequences, of which several share one, next to each other or not.
func TestAttentionCachedAcross(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		share := []int{0, 0, 1, 0, 1, 1, 1}
		o := attentionCase{heads: 2, size: 8, queries: []int{1, 3, 1, 0, 2, 40, 1}, keys: []int{9, 9, 9, 9, 9, 9, 9}}.operands(2)
		a := o.Attention
		a.Keys = nil
		var ks, vs []Matrix
		for _, from := range share {
			ks, vs = append(ks, o.k.RowRange(9*from, 9*from+9)), append(vs, o.v.RowRange(9*from, 9*from+9))
		}
		out := clone(o.out)
		e.AttentionCached(out, o.q, ks, vs, a)
		for s := range share {
			rows := func(m Matrix) Matrix { return m.RowRange(o.Queries[s], o.Queries[s+1]) }
			e.Attention(rows(o.out), rows(o.q), ks[s], vs[s], Attention{Heads: 2, HeadSize: 8, Queries: []int{0, rows(o.q).Rows}, Keys: []int{0, 9}})
		}
		if d := diff(out, o.out); d != "" {
			t.Error(d)
		}
		if n := testing.AllocsPerRun(5, func() { e.AttentionCached(out, o.q, ks, vs, a) }); n != 0 {
			t.Errorf("%v allocations per call", n)
		}
	})
}

// TestAttentionOutsideTheWindow has NaN and infinities in keys and values before and behind the window, for many queries at once and for few.
func TestAttentionOutsideTheWindow(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		want := attentionCase{heads: 2, size: 24, causal: true, queries: []int{60}, window: 8, kvHeads: 1}.operands(3)
		e.Attention(want.out, want.q, want.k, want.v, want.Attention)
		o := attentionCase{heads: 2, size: 24, causal: true, queries: []int{60}, window: 8, kvHeads: 1}.operands(3)
		for l := range o.k.Cols {
			o.k.Row(20)[l], o.v.Row(20)[l] = negInf, -negInf
		}
		e.Attention(o.out, o.q, o.k, o.v, o.Attention)
		for i := range 60 {
			if i >= 20 && i < 28 {
				continue // these see it
			}
			for j, v := range o.out.Row(i) {
				if !same(v, want.out.Row(i)[j]) {
					t.Fatalf("query %d, column %d: %v, want %v", i, j, v, want.out.Row(i)[j])
				}
			}
		}
		for i := 0; i < 60; i += 4 {
			a, out := o.Attention, New(4, o.q.Cols)
			a.Queries, a.Keys, a.Offsets = []int{0, 4}, nil, []int{i}
			e.AttentionCached(out, o.q.RowRange(i, i+4), []Matrix{o.k}, []Matrix{o.v}, a)
			for r := range 4 {
				for j, v := range out.Row(r) {
					if !same(v, o.out.Row(i + r)[j]) {
						t.Fatalf("query %d, column %d: %v among few, want %v", i+r, j, v, o.out.Row(i + r)[j])
					}
				}
			}
		}
	})
}

func TestAttentionCachedAllocatesNothing(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		o := attentionCase{heads: 4, size: 32, causal: true, queries: []int{1, 1}, keys: []int{700, 600}, kvHeads: 2, offsets: []int{699, 599}}.operands(1)
		a := o.Attention
		a.Keys = nil
		k, v := []Matrix{o.k.RowRange(0, 700), o.k.RowRange(700, 1300)}, []Matrix{o.v.RowRange(0, 700), o.v.RowRange(700, 1300)}
		e.AttentionCached(o.out, o.q, k, v, a)
		if n := testing.AllocsPerRun(20, func() { e.AttentionCached(o.out, o.q, k, v, a) }); n != 0 {
			t.Errorf("%v allocations per call", n)
		}
	})
}

func TestAttentionCachedRefuses(t *testing.T) {
	e := newEngine(t, 1)
	k, q, out := New(3, 4), New(1, 4), New(1, 4)
	a := Attention{Heads: 2, HeadSize: 2, Queries: []int{0, 1}}
	keyed := a
	keyed.Keys = []int{0, 3}
	one, two := []Matrix{k}, []Matrix{k, k}
	mustPanic(t, "rows of keys", func() { e.AttentionCached(out, q, one, one, keyed) })
	mustPanic(t, "too many caches", func() { e.AttentionCached(out, q, two, two, a) })
	mustPanic(t, "values of another length", func() { e.AttentionCached(out, q, one, []Matrix{New(2, 4)}, a) })
	mustPanic(t, "keys of another width", func() { e.AttentionCached(out, q, []Matrix{New(3, 2)}, []Matrix{New(3, 2)}, a) })
	mustPanic(t, "a result over the keys", func() { e.AttentionCached(k.RowRange(0, 1), q, one, one, a) })
	e.AttentionCached(out, q, one, one, a)
}
