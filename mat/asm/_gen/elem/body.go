package main

// block is how many elements an iteration takes: the number of lanes of a reduction.
const block = 32

// An op is what one instruction does; on some levels it takes several.
type op int

const (
	constant op = iota // of value f
	scalar             // scalar argument i in every lane
	load               // the next elements of input i
	store              // a into dst, or into input i where there is no dst
	note               // a comment
	weave              // the place of an operation of the next block's first stage

	add  // a + b
	sub  // a - b
	mul  // a · b
	div  // a / b
	sqrt // √a
	fma  // a·b + c, one rounding
	fms  // c - a·b, one rounding

	max      // a > b ? a : b, so NaN in b stays
	min      // a < b ? a : b, so NaN in b stays
	abs      // a without its sign
	within   // the smaller of |a| and b; b where a is NaN
	above    // b, but 0 where a ≤ 0
	withSign // a ≥ 0 with the sign of b
	index    // a's bits from bit shift on, of which lookup takes three
	lookup   // the element of table that index a names
	below    // b where a < f, otherwise c
	pow2     // 2^i, where i is the low nine bits of a less 127
	scale    // a·2^i, one rounding, where i is the low nine bits of b less 254, and also the value of c
	valid    // a, and c in the lanes past the end

	sum    // lane += a
	sumFMA // lane = a·b + lane
	most   // lane = a > lane ? a : lane
)

// A value is the result of an operation on values.
type value struct {
	op      op
	a, b, c *value
	f       float32 // of a constant or below
	i       int     // of a load, store or scalar
	shift   int     // of an index
	table   [8]float32
	text    string // of a note
	last    int    // where in the body it is used last
}

func (v *value) args() []*value {
	var list []*value
	for _, a := range []*value{v.a, v.b, v.c} {
		if a != nil {
			list = append(list, a)
		}
	}
	return list
}

// A body is what an iteration does with each element.
type body struct {
	code      []*value
	tail      bool // for the iteration at the end, which has fewer elements
	staged    bool // for a loop in two stages
	first     int  // how many operations the first stage has
	constants map[float32]*value
	input     []*value
	args      []*value
}

// build returns the body that code makes, of the kind that b is.
func (k *kernel) build(code func(b *body), b body) *body {
	b.constants = map[float32]*value{}
	for i := range k.inputs {
		b.input = append(b.input, &value{op: load, i: i})
	}
	b.code = append(b.code, b.input[0])
	for i := range k.scalars {
		b.args = append(b.args, &value{op: scalar, i: i})
	}
	code(&b)
	for i, v := range b.code {
		for _, a := range v.args() {
			a.last = i
		}
	}
	return &b
}

func (b *body) emit(v value) *value {
	p := &v
	b.code = append(b.code, p)
	return p
}

// num returns a constant.
func (b *body) num(f float32) *value {
	if b.constants[f] == nil {
		b.constants[f] = &value{op: constant, f: f}
	}
	return b.constants[f]
}

// x is the first input, y the second; the others are loaded where they are asked for, once.
func (b *body) x() *value { return b.input[0] }

func (b *body) y() *value { return b.next(1) }

func (b *body) next(i int) *value {
	b.code = append(b.code, b.input[i])
	return b.input[i]
}

// again is x, in the second stage loaded again, which takes no register from one to the other.
func (b *body) again() *value {
	if b.staged {
		return b.emit(value{op: load})
	}
	return b.x()
}

// stage ends the first stage.
func (b *body) stage() { b.first = len(b.code) }

func (b *body) weave()                      { b.emit(value{op: weave}) }
func (b *body) note(s string)               { b.emit(value{op: note, text: s}) }
func (b *body) store(a *value)              { b.emit(value{op: store, a: a}) }
func (b *body) storeInput(i int, a *value)  { b.emit(value{op: store, a: a, i: i}) }
func (b *body) add(x, y *value) *value      { return b.emit(value{op: add, a: x, b: y}) }
func (b *body) sub(x, y *value) *value      { return b.emit(value{op: sub, a: x, b: y}) }
func (b *body) mul(x, y *value) *value      { return b.emit(value{op: mul, a: x, b: y}) }
func (b *body) div(x, y *value) *value      { return b.emit(value{op: div, a: x, b: y}) }
func (b *body) sqrt(x *value) *value        { return b.emit(value{op: sqrt, a: x}) }
func (b *body) fma(x, y, z *value) *value   { return b.emit(value{op: fma, a: x, b: y, c: z}) }
func (b *body) fms(x, y, z *value) *value   { return b.emit(value{op: fms, a: x, b: y, c: z}) }
func (b *body) max(x, y *value) *value      { return b.emit(value{op: max, a: x, b: y}) }
func (b *body) min(x, y *value) *value      { return b.emit(value{op: min, a: x, b: y}) }
func (b *body) abs(x *value) *value         { return b.emit(value{op: abs, a: x}) }
func (b *body) within(x, y *value) *value   { return b.emit(value{op: within, a: x, b: y}) }
func (b *body) withSign(x, s *value) *value { return b.emit(value{op: withSign, a: x, b: s}) }
func (b *body) above(x, y *value) *value    { return b.emit(value{op: above, a: x, b: y}) }
func (b *body) pow2(t *value) *value        { return b.emit(value{op: pow2, a: t}) }
func (b *body) scale(x, t, n *value) *value { return b.emit(value{op: scale, a: x, b: t, c: n}) }

func (b *body) index(x *value, shift int) *value {
	return b.emit(value{op: index, a: x, shift: shift})
}

func (b *body) lookup(i *value, table [8]float32) *value {
	return b.emit(value{op: lookup, a: i, table: table})
}

func (b *body) below(x *value, f float32, y, z *value) *value {
	return b.emit(value{op: below, a: x, f: f, b: y, c: z})
}

// valid returns x, and c in the lanes past the end.
func (b *body) valid(x, c *value) *value {
	if !b.tail {
		return x
	}
	return b.emit(value{op: valid, a: x, c: c})
}

func (b *body) sum(x *value)       { b.emit(value{op: sum, a: x}) }
func (b *body) sumFMA(x, y *value) { b.emit(value{op: sumFMA, a: x, b: y}) }
func (b *body) most(x *value)      { b.emit(value{op: most, a: x}) }
