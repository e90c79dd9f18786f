package mat

import (
	"fmt"

	"github.com/polytropon/polytropon/mat/asm"
)

// A Cache keeps the keys and values of one sequence for [Engine.AttentionCached], position after position, where the kernels read them. It belongs
// to the level of the engine that made it. One goroutine at a time may change it; any number may read what nobody changes.
//
// The layout: the keys of NR positions, the width of the widest kernel, are a panel, whose row j has element j of each; a head is a range of rows.
// Values are rows.
type Cache struct {
	heads, headSize int
	level           *asm.Level
	n, capacity     int // positions; capacity is a multiple of NR
	keys, values    []float32
}

// cacheGranule is the number of positions that a cache grows by at least.
const cacheGranule = 64

// NewCache returns an empty cache of keys and values with so many heads of headSize columns.
func (e *Engine) NewCache(heads, headSize int) *Cache {
	return &Cache{heads: heads, headSize: headSize, level: e.level}
}

// Len returns the number of positions.
func (c *Cache) Len() int { return c.n }

// Append adds the rows of k and v as the keys and values of the next positions. Both have heads·headSize columns.
func (c *Cache) Append(k, v Matrix) {
	if k.Rows != v.Rows || k.Cols != c.width() || v.Cols != c.width() {
		panic(fmt.Sprintf("mat: keys of %s and values of %s into a cache of %d heads of %d", k.Shape(), v.Shape(), c.heads, c.headSize))
	}
	raceRead(k)
	raceRead(v)
	at, nr, width := c.n, c.nr(), c.width()
	c.resize(at + k.Rows)
	if width == 0 {
		return
	}
	for i := 0; i < k.Rows; {
		rows := min(k.Rows-i, nr-(at+i)%nr)
		c.level.Gemm.Transpose(&c.keys[c.panel(at+i)+(at+i)%nr], nr, &k.Data[i*k.Stride], k.Stride, rows, width)
		i += rows
	}
	for i := range v.Rows {
		copy(c.values[(at+i)*width:], v.Row(i))
	}
}

// CopyFrom gives c the positions of from, a cache of the same shape. The first same of them are in c already and are not copied.
func (c *Cache) CopyFrom(from *Cache, same int) {
	if c.heads != from.heads || c.headSize != from.headSize || c.level != from.level || same < 0 || same > min(c.n, from.n) {
		panic(fmt.Sprintf("mat: a cache of %d heads of %d, %d positions, becomes one of %d heads of %d, %d positions, the first %d the same",
			c.heads, c.headSize, c.n, from.heads, from.headSize, from.n, same))
	}
	c.n = same
	c.resize(from.n)
	start, end := c.panel(same), c.panel(from.n+c.nr()-1)
	copy(c.keys[start:end], from.keys[start:end])
	copy(c.values[same*c.width():], from.values[same*c.width():from.n*c.width()])
}

// resize sets the number of positions, those of new ones without values.
func (c *Cache) resize(n int) {
	was := *c
	if c.n = n; n <= c.capacity {
		return
	}
	c.capacity = ceilDiv(max(n, 2*c.capacity), cacheGranule) * cacheGranule
	c.keys, c.values = aligned(c.capacity*c.width()), aligned(c.capacity*c.width())
	copy(c.keys, was.keys)
	copy(c.values, was.values)
}

func (c *Cache) width() int { return c.heads * c.headSize }

func (c *Cache) nr() int { return c.level.Gemm.Tiles[0].NR }

// panel is where the panel begins that has a position.
func (c *Cache) panel(position int) int { return position / c.nr() * c.nr() * c.width() }

// keysOf returns the keys of a head from a position on, a multiple of NR, up to another, as the right operand of a product with queries.
func (c *Cache) keysOf(head, from, to int) panels {
	p := panels{k: c.headSize, n: to - from, wide: &c.level.Gemm.Tiles[0], step: c.width() * c.nr()}
	p.whole = ceilDiv(p.n, c.nr()) * c.nr()
	p.data = c.keys[c.panel(from)+head*c.headSize*c.nr() : c.panel(from+p.whole)]
	return p
}

// valuesOf returns a row for each value of a head.
func (c *Cache) valuesOf(head int) Matrix {
	return View(c.values, c.n, c.width()).ColRange(head*c.headSize, (head+1)*c.headSize)
}
