package poly_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/poly"
)

// The known values of the authors' code, for two layers with the same logits: the value is the sum over the layers, and Backward's scale is in the
// gradients, which are added to those that there are. What is not trained counts and has none.
func TestTrainerPriorOfTheAuthors(t *testing.T) {
	logits := []float32{3, -3, 2, 2, 2, 1, -2, -1, -1, 4, .5, 1, 2, -.5, -1, -1}
	const value = -2.0794415
	want := map[int]float64{0: -0.0225883, 1: 0.0225883, 2: 0.0524968, 3: 0.0524968, 8: -0.0983060, 9: 0.0088314, 10: 0.1175019, 11: 0.0983060}
	m := newOwn(newEngine(t))
	a := m.fresh(t, func(c *poly.Config) { c.NTasks, c.NSkills, c.NSplits = 4, 4, 1 })
	for _, l := range a.Layers() {
		copy(l.Router.Logits, logits) // before anything else sees the adapter
	}
	x := m.train(t, a, func(key string) bool { return !strings.HasPrefix(key, "base_model.model.net.up.poly_router") })
	if len(x.Routing()) != 1 {
		t.Fatalf("got %d routers to train, want 1", len(x.Routing()))
	}
	router := x.Routing()[0]
	router.Grad.Data[0] = 1
	x.tape.Reset()
	loss := x.Prior(x.tape, poly.Prior{IBP: 0.5})
	if math.Abs(float64(loss.Data[0])-value) > 1e-6 { // two layers, by ½
		t.Errorf("got %v, want %v", loss.Data[0], value)
	}
	x.tape.Backward(x.tape.Scale(loss, 2), 3)
	for i, w := range want {
		got := float64(router.Grad.Data[i])
		if i == 0 {
			got--
		}
		if math.Abs(got/3-w) > 1e-6 {
			t.Errorf("gradient %d: got %v, want %v", i, got/3, w)
		}
	}
}

// With nothing of the routing trained, or on a tape that evaluates, the prior is a number.
func TestTrainerPriorIsANumber(t *testing.T) {
	m := newOwn(newEngine(t))
	for _, evaluating := range []bool{false, true} {
		x := m.train(t, m.fresh(t, nil), func(key string) bool { return evaluating || strings.HasSuffix(key, "lora_A") })
		x.tape.Evaluating = evaluating
		x.tape.Reset()
		if p := x.Prior(x.tape, poly.Prior{IBP: 1}); p.Needs() || p.Data[0] == 0 {
			t.Errorf("evaluating %t: got %v, which needs a gradient: %t", evaluating, p.Data[0], p.Needs())
		}
	}
}

// Added to a loss, the prior changes the logits' gradients by its own and no others.
func TestTrainerPriorBesideALoss(t *testing.T) {
	m := newOwn(newEngine(t))
	a := m.fresh(t, nil)
	gradients := func(prior poly.Prior) *ownTraining {
		x := m.train(t, a, nil)
		x.backward(poly.Routing{}, prior)
		return x
	}
	prior := poly.Prior{IBP: 0.1, Entropy: 2, L1: 1}
	without, with := gradients(poly.Prior{}), gradients(prior)
	alone := &ownTraining{t, m, without.Replica(), nn.NewPass(m.engine), autodiff.NewTape(m.engine)}
	alone.tape.Backward(alone.Prior(alone.tape, prior), 1)
	for i, p := range with.Params() {
		got, rest, own := p.Grad.Data, without.Params()[i].Grad.Data, alone.Params()[i].Grad.Data
		if !slices.Contains(with.Routing(), p) {
			if !slices.Equal(got, rest) {
				t.Errorf("%s: the prior changes its gradient", p.Name)
			}
			continue
		}
		for j := range got {
			if math.Abs(float64(got[j]-rest[j]-own[j])) > 1e-6 {
				t.Errorf("%s: gradient %d: got %v, want %v", p.Name, j, got[j], rest[j]+own[j])
			}
		}
	}
}
