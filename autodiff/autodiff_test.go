package autodiff

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/polytropon/polytropon/mat"
)

// engine returns an engine of the best level with two threads.
func engine(t testing.TB) *mat.Engine { return engineOf(t, mat.Options{Threads: 2}) }

func engineOf(t testing.TB, o mat.Options) *mat.Engine {
	e, err := mat.NewEngine(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// engines calls f with an engine of every level, with one and two threads.
func engines(t *testing.T, f func(t *testing.T, e *mat.Engine)) {
	if name := os.Getenv("POLY_REQUIRE_CPU"); name != "" && !slices.Contains(mat.Levels(), name) {
		t.Fatalf("level %q is not available here", name)
	}
	for _, level := range mat.Levels() {
		for threads := 1; threads <= 2; threads++ {
			t.Run(fmt.Sprintf("%s/%d", level, threads), func(t *testing.T) {
				f(t, engineOf(t, mat.Options{Level: level, Threads: threads}))
			})
		}
	}
}

// soil resets t and fills its memory with NaN, so that nobody can take it for zeros.
func soil(t *Tape) {
	t.Reset()
	for _, m := range []mat.Matrix{t.Scratch(1, 1<<14), t.grads.arena.Matrix(1, 1<<14)} {
		for i := range m.Data {
			m.Data[i] = float32(math.NaN())
		}
	}
	t.Reset()
}

// random returns a matrix of normal values, none of them near 0, where some functions have no derivative.
func random(rnd *rand.Rand, rows, cols int) mat.Matrix {
	m := mat.New(rows, cols)
	for i := range m.Data {
		x := rnd.NormFloat64()
		m.Data[i] = float32(x + math.Copysign(0.05, x))
	}
	return m
}

// param returns a parameter with random values.
func param(rnd *rand.Rand, rows, cols int) *Param {
	return NewParam(fmt.Sprintf("%d×%d", rows, cols), []int{rows, cols}, random(rnd, rows, cols).Data)
}

func equalBits(x, y []float32) bool {
	return slices.EqualFunc(x, y, func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) })
}

// panics checks that f panics with a message that has all the parts.
func panics(t *testing.T, name string, f func(), parts ...string) {
	t.Helper()
	defer func() {
		t.Helper()
		message := fmt.Sprint(recover())
		for _, part := range parts {
			if !strings.Contains(message, part) {
				t.Errorf("%s: panic %q, want one with %q", name, message, part)
			}
		}
	}()
	f()
}
