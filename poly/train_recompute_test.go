package poly_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/poly"
)

// A chain is a block of two layers, the second with a residual connection.
type chain struct {
	*two
	pass *nn.Pass
	rows nn.Ragged
}

func (c *chain) Forward(t *autodiff.Tape, x autodiff.Value) autodiff.Value {
	return c.layers[1].ForwardAdd(c.pass, c.rows, x, c.layers[0].Forward(c.pass, c.rows, x))
}

// Adapted layers inside a block that is computed again get the same values, with the same draws, and the same gradients.
func TestTrainRecompute(t *testing.T) {
	const size = 8
	e := newEngine(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	base := &two{engine: e}
	for i := range base.layers {
		base.layers[i] = nn.NewLinear(e, nn.Weights{F32: normals(rnd, size*size)}, size, size)
	}
	config := poly.NewConfig()
	config.NTasks, config.NSplits, config.InitWeights = 2, 2, false
	config.TargetModules = poly.ModuleNames("0", "1")
	a, err := poly.Init(config, base, rand.NewPCG(3, 4))
	if err != nil {
		t.Fatal(err)
	}
	rows, x := nn.Ragged{0, 3, 5}, mat.View(normals(rnd, 5*size), 5, size)
	run := func(recompute bool) (values []float32) {
		trainer, err := poly.NewTrainer(a, nil)
		if err != nil {
			t.Fatal(err)
		}
		draws := poly.RandomUniforms(rand.NewPCG(5, 6))
		if err := trainer.Begin([]int{1, 0}, poly.Routing{Relaxation: poly.RelaxedBernoulli, Uniforms: draws}); err != nil {
			t.Fatal(err)
		}
		p, tape := nn.NewPass(e), autodiff.NewTape(e)
		p.ResetTraining(tape, 2, trainer.Trained())
		block := chain{base, p, rows}
		y := autodiff.Constant(x)
		for range 2 { // twice, so that the second block needs the gradient of its input
			if recompute {
				y = autodiff.Recompute(tape, block, y)
			} else {
				y = block.Forward(tape, y)
			}
		}
		values = slices.Clone(y.Data)
		tape.Backward(tape.Total(tape.Times(y, y)), 1)
		for _, p := range trainer.Params() {
			values = append(values, p.Grad.Data...)
		}
		return values
	}
	if !slices.Equal(run(true), run(false)) {
		t.Error("the bits differ")
	}
}
