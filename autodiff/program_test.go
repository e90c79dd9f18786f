package autodiff

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/polytropon/polytropon/mat"
)

// A program is a random list of operations on matrices of 4 × 4: each takes two of the values so far and makes one more. Its result is the
// sum of a few of them.
type program struct {
	lines   [][3]int // operation, operands
	results []int
	weight  mat.Matrix // of products with a frozen weight
}

const (
	programSide   = 4
	programInputs = 4 // two parameters, twice the first one, a constant
)

func newProgram(rnd *rand.Rand) *program {
	p := &program{weight: random(rnd, programSide, programSide)}
	for i := range 4 + rnd.IntN(12) {
		p.lines = append(p.lines, [3]int{rnd.IntN(len(instructions)), rnd.IntN(programInputs + i), rnd.IntN(programInputs + i)})
	}
	for range 3 {
		p.results = append(p.results, rnd.IntN(programInputs+len(p.lines)))
	}
	p.results = append(p.results, programInputs+len(p.lines)-1)
	return p
}

var instructions = []struct {
	record func(t *Tape, w *mat.Packed, x, y Value) Value
	wide   func(w, x, y wide) wide
}{
	{func(t *Tape, _ *mat.Packed, x, y Value) Value { return t.Plus(x, y) },
		func(_, x, y wide) wide { return x.plus(y) }},
	{func(t *Tape, _ *mat.Packed, x, y Value) Value { return t.Apply(Tanh, t.Times(x, y)) },
		func(_, x, y wide) wide { return x.times(y).each(math.Tanh) }},
	{func(t *Tape, _ *mat.Packed, x, _ Value) Value { return t.Scale(x, -0.5) },
		func(_, x, _ wide) wide { return x.scale(-0.5) }},
	{func(t *Tape, _ *mat.Packed, x, y Value) Value { return t.Apply(Sigmoid, t.MulT(x, y)) },
		func(_, x, y wide) wide {
			return x.mul(y.transpose()).each(func(x float64) float64 { return 1 / (1 + math.Exp(-x)) })
		}},
	{func(t *Tape, w *mat.Packed, x, y Value) Value { return t.Apply(Tanh, t.PlusMulPacked(x, y, w)) },
		func(w, x, y wide) wide { return x.plus(y.mul(w)).each(math.Tanh) }},
	{func(t *Tape, _ *mat.Packed, x, _ Value) Value { return t.Softmax(x) },
		func(_, x, _ wide) wide { return x.softmax() }},
	{func(t *Tape, _ *mat.Packed, x, _ Value) Value {
		return t.Reshape(t.Apply(Tanh, t.Reshape(x, 2, 8)), 4, 4)
	},
		func(_, x, _ wide) wide { return x.each(math.Tanh) }},
	{func(t *Tape, w *mat.Packed, x, y Value) Value {
		return t.Apply(Tanh, plusSquare(t, t.MulPacked(x, w), y))
	},
		func(w, x, y wide) wide { return x.mul(w).plus(y.times(y)).each(math.Tanh) }},
}

// A run is a program with its operands other than the first: a block.
type run struct {
	*program
	packed *mat.Packed
	others [2]Value
}

func (r *run) Forward(t *Tape, x Value) Value {
	values := []Value{x, r.others[0], t.Scale(x, 2), r.others[1]}
	for _, l := range r.lines {
		values = append(values, instructions[l[0]].record(t, r.packed, values[l[1]], values[l[2]]))
	}
	sum := values[r.results[0]]
	for _, i := range r.results[1:] {
		sum = t.Plus(sum, values[i])
	}
	return sum
}

func (p *program) forward(x, y, constant wide) wide {
	values, w := []wide{x, y, x.scale(2), constant}, widen(p.weight)
	for _, l := range p.lines {
		values = append(values, instructions[l[0]].wide(w, values[l[1]], values[l[2]]))
	}
	sum := zeros(programSide, programSide)
	for _, i := range p.results {
		sum = sum.plus(values[i])
	}
	return sum
}

// TestPrograms checks the gradients of random programs, in which values are used by any number of operations, with central differences, and that
// they have the same bits where the program is a block that is computed again.
func TestPrograms(t *testing.T) {
	tape := NewTape(engine(t))
	for seed := range uint64(400) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		p := newProgram(rnd)
		constant, cotangent := random(rnd, programSide, programSide), random(rnd, programSide, programSide)
		params := [2]*Param{param(rnd, programSide, programSide), param(rnd, programSide, programSide)}
		// compute returns the result and the gradients.
		compute := func(again bool) []float32 {
			soil(tape)
			r := run{p, mat.Pack(tape.Engine, p.weight.Data, programSide, programSide, programSide), [2]Value{tape.Param(params[1]), Constant(constant)}}
			x := tape.Param(params[0])
			var y Value
			if again {
				y = Recompute(tape, r, x)
			} else {
				y = r.Forward(tape, x)
			}
			for _, q := range params {
				q.ZeroGrad()
			}
			tape.Backward(tape.Total(tape.Times(y, Constant(cotangent))), 1)
			return slices.Concat(y.Data, params[0].Grad.Data, params[1].Grad.Data)
		}
		if !equalBits(compute(true), compute(false)) {
			t.Errorf("program %d: the bits differ where it is computed again", seed)
		}
		for i, q := range params {
			direction := widen(random(rnd, programSide, programSide))
			loss := func(h float64) float64 {
				x := [2]wide{widen(params[0].Value), widen(params[1].Value)}
				x[i] = x[i].plus(direction.scale(h))
				return p.forward(x[0], x[1], widen(constant)).dot(widen(cotangent))
			}
			const h = 1e-5
			want, got := (loss(h)-loss(-h))/(2*h), widen(q.Grad).dot(direction)
			magnitude := widen(q.Grad).each(math.Abs).dot(direction.each(math.Abs))
			if !(math.Abs(got-want) <= 1e-5*(1+magnitude)) {
				t.Errorf("program %d %v: parameter %d: got a derivative of %v, want %v; terms of %v", seed, p.lines, i, got, want, magnitude)
			}
		}
	}
}
