package nn

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// randomAngles sets a's cosines and sines, and returns the angles.
func randomAngles(rnd *rand.Rand, a Angles) (angles [][]float64) {
	for r := range a.Cos.Rows {
		row := make([]float64, a.Cos.Cols)
		for i := range row {
			row[i] = 100 * rnd.NormFloat64()
			a.Cos.Row(r)[i], a.Sin.Row(r)[i] = float32(math.Cos(row[i])), float32(math.Sin(row[i]))
		}
		angles = append(angles, row)
	}
	return angles
}

// TestRotate compares with float64, in a plain pass and on a tape, where the gradient is turned back; x is used twice, so that gradients add up.
func TestRotate(t *testing.T) {
	e := engine(t)
	for _, c := range []struct{ rows, heads, pairs int }{{1, 1, 1}, {3, 2, 4}, {5, 3, 9}, {7, 1, 32}} {
		rnd := rand.New(rand.NewPCG(uint64(c.rows), uint64(c.pairs)))
		cols := 2 * c.heads * c.pairs
		x, g := random(rnd, c.rows, cols), random(rnd, c.rows, cols)
		turned := func(m mat.Matrix, angles [][]float64, sign float64) []float64 {
			var y []float64
			for r := range m.Rows {
				row := make([]float64, cols)
				for h := 0; h < cols; h += 2 * c.pairs {
					for i := range c.pairs {
						sin, cos := math.Sincos(sign * angles[r][i])
						a, b := float64(m.Row(r)[h+i]), float64(m.Row(r)[h+c.pairs+i])
						row[h+i], row[h+c.pairs+i] = a*cos-b*sin, b*cos+a*sin
					}
				}
				y = append(y, row...)
			}
			return y
		}
		near := func(name string, got []float32, want []float64) {
			for i, w := range want {
				if math.Abs(float64(got[i])-w) > 1e-6*(1+math.Abs(w)) {
					t.Fatalf("%+v, %s: [%d] = %v, want %v", c, name, i, got[i], w)
				}
			}
		}
		p := pass(e, 1)
		a := NewAngles(p, c.rows, c.pairs)
		angles := randomAngles(rnd, a)
		in := mat.View(values(x), c.rows, cols)
		out := Rotate(p, autodiff.Constant(in), a)
		near("plain", values(out.Matrix), turned(x, angles, 1))
		if &out.Data[0] != &in.Data[0] {
			t.Error("the pass without a tape does not work in place")
		}

		tape := autodiff.NewTape(e)
		p.ResetTraining(tape, 1, nil)
		b := NewAngles(p, c.rows, c.pairs)
		for r := range c.rows {
			copy(b.Cos.Row(r), a.Cos.Row(r))
			copy(b.Sin.Row(r), a.Sin.Row(r))
		}
		param := autodiff.NewParam("x", []int{c.rows, cols}, values(x))
		v := tape.Scale(tape.Param(param), 1)
		y := Rotate(p, v, b)
		if !equalBits(values(y.Matrix), values(out.Matrix)) {
			t.Errorf("%+v: other bits on a tape", c)
		}
		loss := tape.Plus(tape.Total(tape.Times(y, autodiff.Constant(g))), tape.Total(tape.Times(v, autodiff.Constant(g))))
		tape.Backward(loss, 1)
		want := turned(g, angles, -1)
		for i := range want {
			want[i] += float64(g.Data[i])
		}
		near("gradient", values(param.Grad), want)
	}
}

func TestRotateHasTheSameBitsOnEveryEngine(t *testing.T) {
	sameBits(t, func(t *testing.T, e *mat.Engine) mat.Matrix {
		rnd, p := rand.New(rand.NewPCG(8, 8)), pass(e, 1)
		a := NewAngles(p, 50, 33)
		for i := range a.Cos.Data {
			a.Cos.Data[i], a.Sin.Data[i] = float32(rnd.NormFloat64()), float32(rnd.NormFloat64())
		}
		return Rotate(p, autodiff.Constant(random(rnd, 50, 66*7)), a).Matrix
	})
}

func TestRotatePanicsWithTheShapes(t *testing.T) {
	p := pass(engine(t), 1)
	for _, c := range [][3]int{{3, 8, 4}, {2, 9, 4}, {2, 8, 0}} {
		panics(t, "Rotate", func() { Rotate(p, autodiff.Constant(mat.New(2, c[1])), NewAngles(p, c[0], c[2])) }, "turned by angles of")
	}
}
