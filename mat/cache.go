package mat

import (
	"fmt"

	"github.com/polytropon/polytropon/mat/asm"
)

// A Cache keeps the keys and values of one sequence for [Engine.AttentionCached], position after position, where the kernels read them. It belongs
// to the level of the engine that made it. One goroutine at a time may change it; any number may read what nobody changes.
//
// The layout, with NR the width of the widest kernel: of each head, a panel for the keys of every NR positions, whose row l has element l of each; and
// a panel for every NR elements of the values, with a row for each position, the last one padded with zeros.
type Cache struct {
	heads, headSize int
	level           *asm.Level
	n, capacity     int // positions; capacity is a multiple of NR
	keys, values    []float32
}

// cacheGranule is the number of positions that a cache grows by at least.
const cacheGranule = 32

// NewCache returns an empty cache of keys and values with so many heads of headSize columns.
func (e *Engine) NewCache(heads, headSize int) *Cache {
	return &Cache{heads: heads, headSize: headSize, level: e.level}
}

// Len returns the number of positions.
func (c *Cache) Len() int { return c.n }

// Append adds the rows of k and v as the keys and values of the next positions. Both have heads·headSize columns.
func (c *Cache) Append(k, v Matrix) {
	c.grow(k, v, k.Rows)
	raceRead(k)
	raceRead(v)
	c.put(k, v, c.n-k.Rows, 0, c.heads)
}

// grow adds so many positions, of arbitrary content, for rows of k and v.
func (c *Cache) grow(k, v Matrix, positions int) {
	if width := c.heads * c.headSize; k.Rows != v.Rows || k.Cols != width || v.Cols != width {
		panic(fmt.Sprintf("mat: keys of %s and values of %s into a cache of %d heads of %d", k.Shape(), v.Shape(), c.heads, c.headSize))
	}
	c.resize(c.n + positions)
}

// put sets the keys and values from a position on, in the heads from ≤ h < to, to the rows of k and v.
func (c *Cache) put(k, v Matrix, at, from, to int) {
	nr, d := c.nr(), c.headSize
	for h := from; h < to; h++ {
		for i, rows := 0, 0; i < k.Rows && d > 0; i += rows {
			rows = min(k.Rows-i, nr-(at+i)%nr)
			c.level.Gemm.Transpose(&c.keys[c.key(h, at+i)+(at+i)%nr], nr, &k.Data[i*k.Stride+h*d], k.Stride, rows, d)
		}
		for i := range v.Rows {
			for p, row := 0, v.Row(i)[h*d:(h+1)*d]; len(row) > 0; p++ {
				n := copy(c.values[c.value(h, p, at+i):][:nr], row)
				row = row[n:]
			}
		}
	}
}

// CopyFrom makes c the first n positions of from, a cache of the same shape. The first same of them are in c already and are not copied.
func (c *Cache) CopyFrom(from *Cache, n, same int) {
	if c.heads != from.heads || c.headSize != from.headSize || c.level != from.level || n < 0 || n > from.n || same < 0 || same > min(c.n, n) {
		panic(fmt.Sprintf("mat: a cache of %d heads of %d, %d positions, becomes %d positions of one of %d heads of %d, %d positions, the first %d the same",
			c.heads, c.headSize, c.n, n, from.heads, from.headSize, from.n, same))
	}
	c.n = same
	c.resize(n)
	c.copyFrom(from, same)
}

// Bytes returns how much memory the keys and values take, with what is reserved.
func (c *Cache) Bytes() int { return 4 * (len(c.keys) + len(c.values)) }

// Truncate leaves the first n positions.
func (c *Cache) Truncate(n int) {
	if n < 0 || n > c.n {
		panic(fmt.Sprintf("mat: a cache of %d positions truncated to %d", c.n, n))
	}
	c.n = n
}

// copyFrom copies all of c's positions from the given one on.
func (c *Cache) copyFrom(from *Cache, position int) {
	end := c.n + c.nr() - 1 // the last panel of keys is copied whole
	for h := range c.heads {
		copy(c.keys[c.key(h, position):], from.keys[from.key(h, position):from.key(h, end)])
		for p := range c.across() {
			copy(c.values[c.value(h, p, position):], from.values[from.value(h, p, position):from.value(h, p, c.n)])
		}
	}
}

// Reserve makes room for n positions, up to which then nothing is copied when some are appended.
func (c *Cache) Reserve(n int) {
	if n > c.capacity {
		was := *c
		c.capacity = ceilDiv(n, cacheGranule) * cacheGranule
		c.keys, c.values = aligned(c.heads*c.capacity*c.headSize), aligned(c.heads*c.across()*c.capacity*c.nr())
		c.copyFrom(&was, 0)
	}
}

// resize sets the number of positions; new ones have arbitrary keys and values.
func (c *Cache) resize(n int) {
	if n > c.capacity {
		c.Reserve(max(n, 2*c.capacity))
	}
	c.n = n
}

func (c *Cache) nr() int { return c.level.Gemm.Tiles[0].NR }

// across is the number of panels that the values of a head take.
func (c *Cache) across() int { return ceilDiv(c.headSize, c.nr()) }

// key is where the panel begins that has the key of a position.
func (c *Cache) key(head, position int) int {
	return (head*c.capacity + position/c.nr()*c.nr()) * c.headSize
}

// value is where the row of a position in a panel of values begins.
func (c *Cache) value(head, panel, position int) int {
	return ((head*c.across()+panel)*c.capacity + position) * c.nr()
}

// operands returns the keys of a head from a position on up to another, and its values from a position on, as the right operands of products with
// queries and with weights. keysFrom is a multiple of NR and valuesFrom one of kBlock.
func (c *Cache) operands(head, keysFrom, valuesFrom, to int) (keys, values panels) {
	wide := &c.level.Gemm.Tiles[0]
	keys = panels{k: c.headSize, n: to - keysFrom, wide: wide, whole: ceilDiv(to-keysFrom, wide.NR) * wide.NR, step: c.headSize * wide.NR}
	keys.data = c.keys[c.key(head, keysFrom):c.key(head+1, 0)]
	values = panels{k: to - valuesFrom, n: c.headSize, wide: wide, whole: c.across() * wide.NR, step: c.capacity * wide.NR}
	values.data = c.values[c.value(head, 0, valuesFrom):c.value(head+1, 0, 0)]
	return keys, values
}
