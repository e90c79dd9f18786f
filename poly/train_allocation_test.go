//go:build !race

package poly_test

import (
	"math/rand/v2"
	"testing"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/poly"
)

// After the first, a step of the same shape allocates nothing.
func TestTrainAllocations(t *testing.T) {
	e, err := mat.NewEngine(mat.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	m := newOwn(e)
	x := m.train(t, m.fresh(t, func(c *poly.Config) { c.ModulesToSave = []string{"norm"} }), nil)
	routing := poly.Routing{Relaxation: poly.RelaxedBernoulli, Uniforms: poly.RandomUniforms(rand.NewPCG(1, 1))}
	step := func() { x.backward(routing, poly.Prior{IBP: 1, Entropy: 1, L1: 1}) }
	step()
	if n := testing.AllocsPerRun(20, step); n > 0 {
		t.Errorf("got %v allocations a step, want none", n)
	}
}
