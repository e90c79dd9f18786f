package mat

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestCacheKeepsWhatIsAppended lets caches grow by pieces of any length, shrink and become each other, and compares them with matrices.
func TestCacheKeepsWhatIsAppended(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		for _, shape := range [][2]int{{1, 1}, {3, 5}, {2, 64}, {1, 530}} {
			heads, size := shape[0], shape[1]
			rnd := rand.New(rand.NewPCG(1, uint64(size)))
			var caches [3]*Cache
			var keys, values [3][]float32
			for i := range caches {
				caches[i] = e.NewCache(heads, size)
			}
			for range 60 {
				i, j := rnd.IntN(3), rnd.IntN(3)
				if rnd.IntN(8) == 0 {
					caches[i].Reserve(rnd.IntN(400))
				}
				if rnd.IntN(4) == 0 {
					n := caches[i].Len() - rnd.IntN(1+min(40, caches[i].Len()))
					caches[i].Truncate(n)
					keys[i], values[i] = keys[i][:n*heads*size], values[i][:n*heads*size]
				}
				if rnd.IntN(4) > 0 {
					k := random(rnd, rnd.IntN(20), heads*size, 3)
					v := random(rnd, k.Rows, heads*size, 1)
					caches[i].Append(k, v)
					for r := range k.Rows {
						keys[i], values[i] = append(keys[i], k.Row(r)...), append(values[i], v.Row(r)...)
					}
				} else if i != j {
					n, same := rnd.IntN(caches[j].Len()+1), 0 // positions
					for same < min(caches[i].Len(), n) && keys[i][same*heads*size] == keys[j][same*heads*size] {
						same++
					}
					caches[i].CopyFrom(caches[j], n, same)
					keys[i], values[i] = slices.Clone(keys[j][:n*heads*size]), slices.Clone(values[j][:n*heads*size])
				}
			}
			for i, c := range caches {
				checkCache(t, c, View(keys[i], c.Len(), heads*size), View(values[i], c.Len(), heads*size))
			}
		}
	})
}

func checkCache(t *testing.T, c *Cache, keys, values Matrix) {
	for h := range c.heads {
		k, v := c.operands(h, 0, 0, c.n)
		for i := range c.n {
			for l := range c.headSize {
				nr := c.nr()
				if got, want := k.data[i/nr*k.step+l*nr+i%nr], keys.Row(i)[h*c.headSize+l]; got != want {
					t.Fatalf("head %d of %d, position %d, element %d: key %v, want %v", h, c.headSize, i, l, got, want)
				}
				if got, want := v.data[l/nr*v.step+i*nr+l%nr], values.Row(i)[h*c.headSize+l]; got != want {
					t.Fatalf("head %d of %d, position %d, element %d: value %v, want %v", h, c.headSize, i, l, got, want)
				}
			}
		}
	}
}

// Within the room that there is nothing is allocated, and a room that is smaller than what there is changes nothing.
func TestCacheReserve(t *testing.T) {
	c := newEngine(t, 1).NewCache(2, 8)
	c.Append(New(5, 16), New(5, 16))
	c.Reserve(100)
	c.Reserve(3)
	one := New(1, 16)
	if n := testing.AllocsPerRun(94, func() { c.Append(one, one) }); n != 0 || c.Len() != 100 { // and once before
		t.Errorf("got %v allocations and %d positions, want none and 100", n, c.Len())
	}
}

func TestCacheRefuses(t *testing.T) {
	e := newEngine(t, 1)
	c := cacheOf(e, 2, New(3, 4), New(3, 4))
	mustPanic(t, "values of another length", func() { c.Append(New(1, 4), New(2, 4)) })
	mustPanic(t, "keys of another width", func() { c.Append(New(1, 2), New(1, 4)) })
	mustPanic(t, "values of another width", func() { c.Append(New(1, 4), New(1, 2)) })
	mustPanic(t, "other heads", func() { c.CopyFrom(e.NewCache(1, 2), 0, 0) })
	mustPanic(t, "heads of another size", func() { c.CopyFrom(e.NewCache(2, 4), 0, 0) })
	mustPanic(t, "another shape", func() { c.CopyFrom(e.NewCache(1, 4), 0, 0) })
	five := cacheOf(e, 2, New(5, 4), New(5, 4))
	mustPanic(t, "more than the other has", func() { c.CopyFrom(five, 6, 0) })
	mustPanic(t, "fewer than none of another", func() { c.CopyFrom(five, -1, 0) })
	mustPanic(t, "more of the same than the result has", func() { c.CopyFrom(five, 2, 3) })
	mustPanic(t, "more of the same than there is", func() { c.CopyFrom(five, 5, 4) })
	mustPanic(t, "fewer of the same than none", func() { c.CopyFrom(five, 5, -1) })
	for _, level := range Levels() {
		o, err := NewEngine(Options{Level: level, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer o.Close()
		if o.level != e.level {
			mustPanic(t, "a cache for "+level, func() { c.CopyFrom(o.NewCache(2, 2), 0, 0) })
			mustPanic(t, "an attention on "+level, func() {
				o.AttentionCached(New(1, 4), New(1, 4), []*Cache{c}, Attention{Heads: 2, HeadSize: 2, Queries: []int{0, 1}})
			})
		}
	}
	mustPanic(t, "positions that it does not have", func() { c.Truncate(4) })
	mustPanic(t, "fewer than none", func() { c.Truncate(-1) })
	if c.Len() != 3 {
		t.Errorf("%d positions, want 3", c.Len())
	}
}
