package model

import "github.com/polytropon/polytropon/mat"

// A cache holds the keys and values of a sequence in progress, in every layer, so that a step computes only those of its new tokens.
// They depend on nothing but the tokens up to their own.
type cache struct {
	layers, width int   // width is that of a row of keys
	ids           []int // the tokens whose keys and values there are, or will be at the end of the step
	capacity      int   // tokens that data has room for
	data          []float32
}

// cacheGranule is the number of tokens that a cache grows by at least.
const cacheGranule = 64

func newCache(layers, width int) *cache { return &cache{layers: layers, width: width} }

// extend makes room for more tokens. Their keys and values have arbitrary contents.
func (c *cache) extend(ids ...int) {
	old := len(c.ids)
	c.ids = append(c.ids, ids...)
	if len(c.ids) <= c.capacity {
		return
	}
	was := *c
	c.capacity = (max(len(c.ids), 2*c.capacity) + cacheGranule - 1) / cacheGranule * cacheGranule
	c.data = make([]float32, 2*c.layers*c.capacity*c.width)
	for i := range 2 * c.layers {
		copy(c.part(i), was.part(i)[:old*c.width])
	}
}

// become makes c the sequence that from is. What both begin with is not copied.
func (c *cache) become(from *cache) {
	same := 0
	for same < min(len(c.ids), len(from.ids)) && c.ids[same] == from.ids[same] {
		same++
	}
	c.ids = c.ids[:same]
	c.extend(from.ids[same:]...)
	for i := range 2 * c.layers {
		copy(c.part(i)[same*c.width:], from.part(i)[same*c.width:len(from.ids)*c.width])
	}
}

// part returns the memory of a layer's keys, number 2·layer, or values, the number after that.
func (c *cache) part(i int) []float32 {
	size := c.capacity * c.width
	return c.data[i*size : (i+1)*size]
}

// keys and values return a row per token.
func (c *cache) keys(layer int) mat.Matrix   { return mat.View(c.part(2*layer), len(c.ids), c.width) }
func (c *cache) values(layer int) mat.Matrix { return mat.View(c.part(2*layer+1), len(c.ids), c.width) }
