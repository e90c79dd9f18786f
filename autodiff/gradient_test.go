package autodiff

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/polytropon/polytropon/mat"
)

// A use says how an operation's operand comes about.
type use int

const (
	constant use = iota // a constant
	trained             // a parameter
	once                // what another operation makes of a parameter
	again               // the same, used by two more operations, one before and one after
)

// factor is what an operand is multiplied with that is not a parameter itself.
func (u use) factor() float32 {
	if u >= once {
		return 1.5
	}
	return 1
}

// TestGradients compares, for each operation and each way in which its operands can come about, random projections of the gradients with
// central differences of a function written in float64:
//
//	L = 0.75 · (Σ w ⊙ f(x) + Σ first ⊙ x + Σ last ⊙ x)
//
// the last two sums over operands that are used again.
func TestGradients(t *testing.T) {
	tape := NewTape(engine(t))
	for _, op := range operations {
		t.Run(op.name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(1, uint64(len(op.name))))
			uses := make([]use, len(op.shapes))
			for i := range pow(4, len(uses)) {
				trains := false
				for j := range uses {
					uses[j] = use(i / pow(4, j) % 4)
					trains = trains || uses[j] != constant
				}
				if trains {
					checkGradient(t, tape, op, uses, rnd)
				}
			}
		})
	}
}

// TestUnusedResults has operations whose results nothing depends on, so that their operands' gradients are those of their other use.
func TestUnusedResults(t *testing.T) {
	tape := NewTape(engine(t))
	for _, op := range operations {
		rnd := rand.New(rand.NewPCG(3, 4))
		soil(tape)
		loss := Constant(mat.New(1, 1))
		params, operands := make([]*Param, len(op.shapes)), make([]Value, len(op.shapes))
		for i, s := range op.shapes {
			params[i] = param(rnd, s[0], s[1])
			operands[i] = tape.Scale(tape.Param(params[i]), 0.5)
			loss = tape.Plus(loss, tape.Total(operands[i]))
		}
		op.record(tape, operands)
		tape.Backward(loss, 3)
		for i, p := range params {
			if slices.ContainsFunc(p.Grad.Data, func(g float32) bool { return g != 1.5 }) {
				t.Errorf("%s: operand %d: got a gradient of %v, want 1.5 everywhere", op.name, i, p.Grad.Data)
			}
		}
	}
	if g, ok := tape.Grad(Constant(mat.New(1, 1))); ok || g.Data != nil {
		t.Errorf("got %v as the gradient of a constant, want none", g)
	}
}

func pow(x, n int) int {
	p := 1
	for range n {
		p *= x
	}
	return p
}

func checkGradient(t *testing.T, tape *Tape, op operation, uses []use, rnd *rand.Rand) {
	const scale = 0.75
	soil(tape)
	params := make([]*Param, len(uses))
	operands := make([]Value, len(uses))
	x := make([]wide, len(uses)) // the parameters
	first, last := make([]mat.Matrix, len(uses)), make([]mat.Matrix, len(uses))
	sum := Constant(mat.New(1, 1))
	addTo := func(v Value, by mat.Matrix) { sum = tape.Plus(sum, tape.Total(tape.Times(v, Constant(by)))) }
	for i, s := range op.shapes {
		params[i], first[i], last[i] = param(rnd, s[0], s[1]), random(rnd, s[0], s[1]), random(rnd, s[0], s[1])
		for j := range params[i].Grad.Data {
			params[i].Grad.Data[j] = float32(rnd.IntN(5) - 2)
		}
		x[i] = widen(params[i].Value)
		switch uses[i] {
		case constant:
			operands[i] = Constant(params[i].Value)
		case trained:
			operands[i] = tape.Param(params[i])
		default:
			operands[i] = tape.Scale(tape.Param(params[i]), uses[i].factor())
		}
		if uses[i] == again {
			addTo(operands[i], first[i])
		}
	}
	before := make([]wide, len(uses))
	for i, p := range params {
		before[i] = widen(p.Grad)
	}
	y := op.record(tape, operands)
	w := random(rnd, y.Rows, y.Cols)
	addTo(y, w)
	for i, v := range operands {
		if uses[i] == again {
			addTo(v, last[i])
		}
	}
	forward := func(x []wide) (f wide, loss float64) {
		inner := make([]wide, len(x))
		for i := range x {
			inner[i] = x[i].scale(float64(uses[i].factor()))
		}
		f = op.forward(inner)
		loss = f.dot(widen(w))
		for i := range x {
			if uses[i] == again {
				loss += inner[i].dot(widen(first[i])) + inner[i].dot(widen(last[i]))
			}
		}
		return f, scale * loss
	}
	want, _ := forward(x)
	if !near(widen(y.Matrix), want) {
		t.Errorf("%v: got %v, want %v", uses, y, want)
	}
	tape.Backward(sum, scale)

	const h = 1e-5
	for i, p := range params {
		if uses[i] == constant {
			if !near(widen(p.Grad), before[i]) {
				t.Errorf("%v: operand %d is not trained and has a gradient", uses, i)
			}
			continue
		}
		for range 4 {
			direction := widen(random(rnd, p.Value.Rows, p.Value.Cols))
			got, magnitude := 0.0, 0.0
			for j, g := range p.Grad.Data {
				d := (float64(g) - before[i].data[j]) * direction.data[j]
				got += d
				magnitude += math.Abs(d)
			}
			loss := func(h float64) float64 {
				there := append([]wide(nil), x...)
				there[i] = x[i].plus(direction.scale(h))
				_, l := forward(there)
				return l
			}
			want := (loss(h) - loss(-h)) / (2 * h)
			if !(math.Abs(got-want) <= 4e-6*(magnitude+1)) {
				t.Errorf("%v: operand %d: got a derivative of %v, want %v; terms of %v", uses, i, got, want, magnitude)
			}
		}
	}
}

// A wide is a matrix of float64.
type wide struct {
	rows, cols int
	data       []float64
}

func zeros(rows, cols int) wide { return wide{rows, cols, make([]float64, rows*cols)} }

func widen(m mat.Matrix) wide {
	w := zeros(m.Rows, m.Cols)
	for i := range m.Rows {
		for j, x := range m.Row(i) {
			w.data[i*m.Cols+j] = float64(x)
		}
	}
	return w
}

func (w wide) row(i int) []float64 { return w.data[i*w.cols : (i+1)*w.cols] }

// each returns f of every element.
func (w wide) each(f func(x float64) float64) wide {
	y := zeros(w.rows, w.cols)
	for i, x := range w.data {
		y.data[i] = f(x)
	}
	return y
}

// with returns f of every element and the element of o in the same place.
func (w wide) with(o wide, f func(x, y float64) float64) wide {
	y := zeros(w.rows, w.cols)
	for i, x := range w.data {
		y.data[i] = f(x, o.data[i])
	}
	return y
}

func (w wide) scale(s float64) wide { return w.each(func(x float64) float64 { return s * x }) }
func (w wide) plus(o wide) wide     { return w.with(o, func(x, y float64) float64 { return x + y }) }
func (w wide) times(o wide) wide    { return w.with(o, func(x, y float64) float64 { return x * y }) }

func (w wide) dot(o wide) float64 {
	sum := 0.0
	for i, x := range w.data {
		sum += x * o.data[i]
	}
	return sum
}

func (w wide) mul(o wide) wide {
	y := zeros(w.rows, o.cols)
	for i := range w.rows {
		for k, x := range w.row(i) {
			for j, z := range o.row(k) {
				y.row(i)[j] += x * z
			}
		}
	}
	return y
}

func (w wide) transpose() wide {
	y := zeros(w.cols, w.rows)
	for i := range w.rows {
		for j, x := range w.row(i) {
			y.row(j)[i] = x
		}
	}
	return y
}

func (w wide) softmax() wide {
	y := w.each(math.Exp)
	for i := range y.rows {
		sum := 0.0
		for _, x := range y.row(i) {
			sum += x
		}
		for j := range y.row(i) {
			y.row(i)[j] /= sum
		}
	}
	return y
}

// near reports whether x is y but for float32's rounding.
func near(x, y wide) bool {
	if x.rows != y.rows || x.cols != y.cols {
		return false
	}
	for i := range x.data {
		if !(math.Abs(x.data[i]-y.data[i]) <= 1e-5*(1+math.Abs(y.data[i]))) {
			return false
		}
	}
	return true
}

func (u use) String() string { return [...]string{"constant", "trained", "once", "again"}[u] }
