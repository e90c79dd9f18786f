package mat

import (
	"math/rand/v2"
	"testing"
)

// TestAttentionAppendGivesTheBitsOfOneCall feeds sequences piece by piece, with a cache for each, and compares with one causal call.
func TestAttentionAppendGivesTheBitsOfOneCall(t *testing.T) {
	for _, c := range []attentionCase{
		{heads: 4, size: 16, causal: true, bias: true, queries: []int{1, 40, 20}},
		{heads: 6, size: 16, causal: true, queries: []int{50, 33}, kvHeads: 2, scale: 0.25},
		{heads: 9, size: 64, causal: true, queries: []int{70}, kvHeads: 3, scale: 0.125},
		{heads: 3, size: 5, causal: true, bias: true, queries: []int{60, 7}, kvHeads: 1, scale: 0.4, window: 9},
		{heads: 2, size: 20, causal: true, queries: []int{1050}, kvHeads: 1, scale: 0.3, window: 521},
		{heads: 4, size: 24, causal: true, bias: true, queries: []int{700, 100}, kvHeads: 2, scale: 0.3, window: 65},
		{heads: 2, size: 40, causal: true, queries: []int{1100}, kvHeads: 1, scale: 0.3, window: 530},
		{heads: 1, size: 530, causal: true, queries: []int{530}},
		{heads: 4, size: 128, causal: true, bias: true, queries: []int{70, 3}, kvHeads: 2, scale: 0.1},
		{heads: 2, size: 256, causal: true, queries: []int{40, 33}, scale: 0.06, window: 20},
		{heads: 24, size: 32, causal: true, queries: []int{80}, kvHeads: 2, window: 37},
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
				var caches []*Cache
				for range n {
					caches = append(caches, e.NewCache(o.k.Cols/c.size, c.size))
				}
				for {
					a := o.Attention
					a.Queries, a.Keys, a.Offsets, a.Bias = []int{0}, nil, nil, nil
					var rows []int
					for s, length := range c.queries {
						next := min(length-done[s], 1)
						if rnd.IntN(8) == 0 {
							next = min(length-done[s], rnd.IntN(max(30, length/3)))
						}
						a.Offsets = append(a.Offsets, done[s])
						a.Queries = append(a.Queries, a.Queries[s]+next)
						for i := range next {
							rows = append(rows, o.Queries[s]+done[s]+i)
						}
						done[s] += next
						if o.Bias != nil {
							a.Bias = append(a.Bias, o.Bias[s])
						}
					}
					if rest := o.q.Rows; sum(done) == rest && len(rows) == 0 {
						break
					}
					q, k, v := New(len(rows), o.q.Cols), New(len(rows), o.k.Cols), New(len(rows), o.k.Cols)
					for i, r := range rows { // a sequence has as many keys as queries
						copy(q.Row(i), o.q.Row(r))
						copy(k.Row(i), o.k.Row(r))
						copy(v.Row(i), o.v.Row(r))
					}
					out := New(len(rows), o.q.Cols)
					e.AttentionAppend(out, q, k, v, caches, a)
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

// TestAttentionCachedAcross has no causality: the keys of other sequences, of which several share one, next to each other or not, with a bias and without.
func TestAttentionCachedAcross(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		share := []int{0, 0, 1, 0, 1, 1, 1}
		o := attentionCase{heads: 2, size: 8, queries: []int{1, 3, 1, 0, 2, 40, 1}, keys: []int{9, 9, 9, 9, 9, 9, 9}}.operands(2)
		a := o.Attention
		a.Keys = nil
		both := []*Cache{cacheOf(e, 2, o.k.RowRange(0, 9), o.v.RowRange(0, 9)), cacheOf(e, 2, o.k.RowRange(9, 18), o.v.RowRange(9, 18))}
		var caches []*Cache
		for _, from := range share {
			caches = append(caches, both[from])
		}
		out := clone(o.out)
		rnd := rand.New(rand.NewPCG(3, 4))
		var biases []Matrix // of each sequence another
		for range share {
			biases = append(biases, random(rnd, 2, 2*40-1, 0))
		}
		for _, bias := range [][]Matrix{biases, nil} {
			a.Bias = bias
			e.AttentionCached(out, o.q, caches, a)
			for s, from := range share {
				k, v := o.k.RowRange(9*from, 9*from+9), o.v.RowRange(9*from, 9*from+9)
				rows := func(m Matrix) Matrix { return m.RowRange(o.Queries[s], o.Queries[s+1]) }
				alone := Attention{Heads: 2, HeadSize: 8, Queries: []int{0, rows(o.q).Rows}, Keys: []int{0, 9}}
				if bias != nil {
					alone.Bias = bias[s : s+1]
				}
				e.Attention(rows(o.out), rows(o.q), k, v, alone)
			}
			if d := diff(out, o.out); d != "" {
				t.Errorf("bias %t: %s", bias != nil, d)
			}
		}
		if n := testing.AllocsPerRun(5, func() { e.AttentionCached(out, o.q, caches, a) }); n != 0 {
			t.Errorf("%v allocations per call", n)
		}
	})
}

// TestAttentionOutsideTheWindow has NaN and infinities in keys and values before and behind the window, for many queries at once and for few.
func TestAttentionOutsideTheWindow(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		for kvHeads := 1; kvHeads <= 2; kvHeads++ {
			c := attentionCase{heads: 2, size: 24, causal: true, queries: []int{60}, window: 8, kvHeads: kvHeads}
			want, o := c.operands(3), c.operands(3)
			e.Attention(want.out, want.q, want.k, want.v, want.Attention)
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
			cache := cacheOf(e, kvHeads, o.k, o.v)
			for i := range 57 { // the first of four, of which all, some or none see it
				a, out := o.Attention, New(4, o.q.Cols)
				a.Queries, a.Keys, a.Offsets = []int{0, 4}, nil, []int{i}
				e.AttentionCached(out, o.q.RowRange(i, i+4), []*Cache{cache}, a)
				for r := range 4 {
					for j, v := range out.Row(r) {
						if !same(v, o.out.Row(i + r)[j]) {
							t.Fatalf("query %d, column %d: %v among few, want %v", i+r, j, v, o.out.Row(i + r)[j])
						}
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
		caches := []*Cache{cacheOf(e, 2, o.k.RowRange(0, 700), o.v.RowRange(0, 700)), cacheOf(e, 2, o.k.RowRange(700, 1300), o.v.RowRange(700, 1300))}
		e.AttentionCached(o.out, o.q, caches, a)
		if n := testing.AllocsPerRun(20, func() { e.AttentionCached(o.out, o.q, caches, a) }); n != 0 {
			t.Errorf("%v allocations per call", n)
		}
	})
}

// Nobody attends to nothing.
func TestAttentionCachedOfNoSequence(t *testing.T) {
	e := newEngine(t, 1)
	for _, causal := range []bool{false, true} {
		a, none := Attention{Heads: 2, HeadSize: 2, Queries: []int{0}, Causal: causal}, New(0, 4)
		e.AttentionCached(none, none, nil, a)
		e.AttentionAppend(none, none, none, none, nil, a)
	}
}

// What is appended is seen by all queries of the sequence where they are not causal, at the positions that they have.
func TestAttentionAppendToWhatIsNotCausal(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		const heads, size = 2, 8
		rnd := rand.New(rand.NewPCG(1, 2))
		var old, appended []*Cache
		for _, n := range []int{40, 7} {
			k, v := random(rnd, n, heads*size, 0), random(rnd, n, heads*size, 0)
			old, appended = append(old, cacheOf(e, heads, k, v)), append(appended, cacheOf(e, heads, k, v))
		}
		a := Attention{Heads: heads, HeadSize: size, Queries: []int{0, 2, 3}, Offsets: []int{40, 7}}
		q, k, v, out, want := random(rnd, 3, heads*size, 0), random(rnd, 3, heads*size, 0), random(rnd, 3, heads*size, 0), New(3, heads*size), New(3, heads*size)
		for s, c := range old {
			c.Append(k.RowRange(a.Queries[s], a.Queries[s+1]), v.RowRange(a.Queries[s], a.Queries[s+1]))
		}
		e.AttentionCached(want, q, old, a)
		e.AttentionAppend(out, q, k, v, appended, a)
		if d := diff(out, want); d != "" {
			t.Error(d)
		}
	})
}

func TestAttentionCachedRefuses(t *testing.T) {
	e := newEngine(t, 1)
	q, out := New(1, 4), New(1, 4)
	a := Attention{Heads: 2, HeadSize: 2, Queries: []int{0, 1}}
	keyed := a
	keyed.Keys = []int{0, 3}
	cache := cacheOf(e, 2, New(3, 4), New(3, 4))
	mustPanic(t, "rows of keys", func() { e.AttentionCached(out, q, []*Cache{cache}, keyed) })
	mustPanic(t, "too many caches", func() { e.AttentionCached(out, q, []*Cache{cache, cache}, a) })
	mustPanic(t, "keys of another width", func() { e.AttentionCached(out, q, []*Cache{cacheOf(e, 1, New(3, 2), New(3, 2))}, a) })
	k, step := New(3, 4), a
	step.Offsets = []int{3}
	next := New(1, 4)
	mustPanic(t, "appended to a longer cache", func() { e.AttentionAppend(out, q, next, next, []*Cache{cacheOf(e, 2, New(4, 4), New(4, 4))}, step) })
	mustPanic(t, "appended to one cache twice", func() {
		twice, c := step, cacheOf(e, 2, k, k)
		twice.Queries, twice.Offsets = []int{0, 1, 2}, []int{3, 4}
		e.AttentionAppend(New(2, 4), New(2, 4), New(2, 4), New(2, 4), []*Cache{c, c}, twice)
	})
	mustPanic(t, "appended keys that are the result", func() { e.AttentionAppend(out, q, out, next, []*Cache{cacheOf(e, 2, k, k)}, step) })
	mustPanic(t, "appended values that are the result", func() { e.AttentionAppend(out, q, next, out, []*Cache{cacheOf(e, 2, k, k)}, step) })
	mustPanic(t, "more keys than queries", func() { e.AttentionAppend(out, q, New(4, 4), New(4, 4), []*Cache{cacheOf(e, 2, k, k)}, step) })
	mustPanic(t, "appended keys of another width", func() { e.AttentionAppend(out, q, New(3, 2), New(3, 2), []*Cache{cacheOf(e, 2, k, k)}, step) })
	mustPanic(t, "heads of another size, as many", func() { e.AttentionCached(out, q, []*Cache{cacheOf(e, 2, New(3, 6), New(3, 6))}, a) })
	mustPanic(t, "more heads", func() { e.AttentionCached(out, q, []*Cache{cacheOf(e, 4, New(3, 8), New(3, 8))}, a) })
	mustPanic(t, "heads of another size", func() { e.AttentionCached(out, q, []*Cache{cacheOf(e, 1, New(3, 4), New(3, 4))}, a) })
	e.AttentionCached(out, q, []*Cache{cache}, a)
}

// cacheOf returns a cache of so many heads that holds k and v.
func cacheOf(e *Engine, heads int, k, v Matrix) *Cache {
	c := e.NewCache(heads, k.Cols/heads)
	c.Append(k, v)
	return c
}
