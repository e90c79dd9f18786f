package poly

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/safetensors"
)

// recorded is what testdata/record.py recorded of torch.
type recorded struct {
	*testing.T
	*safetensors.File
}

func openRecorded(t *testing.T) recorded {
	f, err := safetensors.Open("testdata/routing.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return recorded{t, f}
}

func (r recorded) matrix(name string) mat.Matrix {
	x, err := r.Tensor(name)
	if err != nil {
		r.Fatal(err)
	}
	f, err := x.Float32s()
	if err != nil {
		r.Fatal(err)
	}
	if len(x.Shape) < 2 {
		return mat.View(f, 1, len(f))
	}
	return mat.View(f, x.Shape[0], x.Shape[1])
}

func (r recorded) ints(name string) []int {
	x, err := r.Tensor(name)
	if err != nil {
		r.Fatal(err)
	}
	long, err := x.Int64s()
	if err != nil {
		r.Fatal(err)
	}
	ints := make([]int, len(long))
	for i, v := range long {
		ints[i] = int(v)
	}
	return ints
}

// near checks |got − want| ≤ relative·|want| + absolute for all elements.
func near(t *testing.T, name string, got, want []float32, relative, absolute float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %d values, want %d", name, len(got), len(want))
	}
	for i, w := range want {
		if diff := math.Abs(float64(got[i]) - float64(w)); !(diff <= relative*math.Abs(float64(w))+absolute) {
			t.Errorf("%s[%d]: got %v, want %v", name, i, got[i], w)
		}
	}
}

// onEveryLevel runs f on an engine of each level with one and two threads and checks that all give the same bits.
func onEveryLevel(t *testing.T, f func(t *testing.T, e *mat.Engine) []float32) {
	var want []float32
	for _, level := range mat.Levels() {
		for threads := 1; threads <= 2; threads++ {
			t.Run(fmt.Sprintf("%s/%d", level, threads), func(t *testing.T) {
				e, err := mat.NewEngine(mat.Options{Level: level, Threads: threads})
				if err != nil {
					t.Fatal(err)
				}
				defer e.Close()
				got := f(t, e)
				if want == nil {
					want = got
				}
				if !slices.EqualFunc(got, want, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) }) {
					t.Error("the bits differ from those of the first engine")
				}
			})
		}
	}
}

// The weights of each relaxation and the gradients of the logits are torch's, also where its clamps act.
func TestRoutingOfTorch(t *testing.T) {
	for name, splits := range map[string]int{"sigmoid": 2, "straight": 3, "relaxed.1.0": 2, "relaxed.0.5": 2, "relaxed.0.25": 2, "relaxed.3.0": 2} {
		t.Run(name, func(t *testing.T) {
			onEveryLevel(t, func(t *testing.T, e *mat.Engine) []float32 {
				rec := openRecorded(t)
				z, g := rec.matrix(name+".z"), rec.matrix(name+".g")
				var r Routing
				var u mat.Matrix
				switch {
				case name == "straight":
					r.Relaxation = StraightThrough
				case strings.HasPrefix(name, "relaxed"):
					r.Relaxation, r.Temperature = RelaxedBernoulli, rec.matrix(name + ".temperature").Data[0]
					u = rec.matrix(name + ".u")
				}
				w, slope, sums := mat.New(g.Rows, g.Cols), mat.New(g.Rows, g.Cols), mat.New(g.Rows, splits)
				rows, dz := mat.New(g.Rows, g.Cols), mat.New(z.Rows, z.Cols)
				tasks := rec.ints(name + ".tasks")
				for i, task := range tasks {
					copy(rows.Row(i), z.Row(task))
				}
				r.relax(e, w, slope, rows, u)
				normalize(w, sums)
				for i, task := range tasks {
					addLogitGradients(dz.Row(task), g.Row(i), w.Row(i), slope.Row(i), sums.Row(i))
				}
				near(t, "w", w.Data, rec.matrix(name+".w").Data, 2e-6, 1e-12)
				want := rec.matrix(name + ".dz")
				near(t, "dz", dz.Data, want.Data, 5e-6, 3e-7)
				for i, d := range want.Data {
					if d == 0 && dz.Data[i] != 0 && name != "sigmoid" && name != "straight" {
						t.Errorf("dz[%d]: got %v, want the 0 of a clamp", i, dz.Data[i])
					}
				}
				return slices.Concat(w.Data, slope.Data, dz.Data)
			})
		})
	}
}

// A temperature of 0 is 1.
func TestDefaultTemperature(t *testing.T) {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	z, u := mat.View([]float32{1, -2}, 1, 2), mat.View([]float32{0.25, 0.75}, 1, 2)
	var got [2][]float32
	for i := range got {
		r := Routing{Relaxation: RelaxedBernoulli, Temperature: float32(i)}
		y, slope := mat.New(1, 2), mat.New(1, 2)
		r.relax(e, y, slope, z, u)
		got[i] = y.Data
	}
	if !slices.Equal(got[0], got[1]) {
		t.Errorf("got %v and %v", got[0], got[1])
	}
}

// A NaN among the logits stays one.
func TestRoutingOfNaN(t *testing.T) {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for relaxation, want := range map[Relaxation]float32{Sigmoid: float32(math.NaN()), RelaxedBernoulli: float32(math.NaN())} {
		y, slope := mat.New(1, 1), mat.New(1, 1)
		r := Routing{Relaxation: relaxation}
		r.relax(e, y, slope, mat.View([]float32{want}, 1, 1), mat.View([]float32{0.5}, 1, 1))
		if y.Data[0] == y.Data[0] || slope.Data[0] == slope.Data[0] {
			t.Errorf("relaxation %d: got %v and the slope %v, want NaN", relaxation, y.Data[0], slope.Data[0])
		}
	}
}
