package mat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// TestRope compares with complex numbers in float64 and every engine with the first, and turns back.
func TestRope(t *testing.T) {
	first := map[int]Matrix{}
	engines(t, func(t *testing.T, e *Engine) {
		for i, c := range []struct{ rows, heads, size int }{{0, 2, 4}, {3, 0, 4}, {5, 1, 2}, {7, 3, 6}, {300, 9, 64}, {40, 2, 130}} {
			rnd := rand.New(rand.NewPCG(uint64(i), 2))
			x, angles := random(rnd, c.rows, c.heads*c.size, 3), random(rnd, c.rows, c.size/2, 0)
			cos, sin, got := New(c.rows, c.size/2), New(c.rows, c.size/2), clone(x)
			for j, a := range angles.Data {
				cos.Data[j], sin.Data[j] = float32(math.Cos(float64(a))), float32(math.Sin(float64(a)))
			}
			e.Rope(got, c.heads, c.size, cos, sin)
			for r := range x.Rows {
				for j := range x.Cols / 2 {
					at, k := j/(c.size/2)*c.size+j%(c.size/2), j%(c.size/2)
					z := complex(float64(x.Row(r)[at]), float64(x.Row(r)[at+c.size/2])) * complex(float64(cos.Row(r)[k]), float64(sin.Row(r)[k]))
					if math.Abs(float64(got.Row(r)[at])-real(z)) > 1e-6 || math.Abs(float64(got.Row(r)[at+c.size/2])-imag(z)) > 1e-6 {
						t.Fatalf("%v: row %d, pair %d: %v, %v, want %v", c, r, j, got.Row(r)[at], got.Row(r)[at+c.size/2], z)
					}
				}
			}
			if want, ok := first[i]; !ok {
				first[i] = clone(got)
			} else if d := diff(got, want); d != "" {
				t.Fatalf("not what another engine computes: %s", d)
			}
			e.RopeBackward(got, c.heads, c.size, cos, sin)
			for j, v := range got.Data {
				if math.Abs(float64(v-x.Data[j])) > 2e-6 {
					t.Fatalf("%v: turned back: [%d] = %v, want %v", c, j, v, x.Data[j])
				}
			}
		}
		x, angles := New(2, 8), New(2, 2)
		mustPanic(t, "heads", func() { e.Rope(x, 3, 4, angles, angles) })
		mustPanic(t, "an odd head", func() { e.Rope(New(2, 6), 2, 3, New(2, 1), New(2, 1)) })
		mustPanic(t, "rows of angles", func() { e.Rope(x, 2, 4, New(1, 2), New(1, 2)) })
		mustPanic(t, "angles", func() { e.Rope(x, 2, 4, angles, New(2, 4)) })
	})
}

// A head of two columns at the positions 0 and 1, a quarter turn apart.
func ExampleEngine_Rope() {
	e, err := NewEngine(Options{})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	cos, sin := New(2, 1), New(2, 1)
	for position := range 2 {
		angle := float64(position) * math.Pi / 2
		cos.Row(position)[0], sin.Row(position)[0] = float32(Cos(angle)), float32(Sin(angle))
	}
	x := View([]float32{3, 4, 3, 4}, 2, 2)
	e.Rope(x, 1, 2, cos, sin)
	fmt.Printf("%.3f %.3f\n", x.Row(0), x.Row(1))
	// Output: [3.000 4.000] [-4.000 3.000]
}
