package poly_test

import (
	"math/rand/v2"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/poly"
)

// own is a model of one's own: logits of 12 tokens for each token, by two linear layers. Token 3 is padding.
type own struct {
	engine      *mat.Engine
	tokens      *nn.Embedding
	up, down    *nn.Linear
	norm        *nn.RMSNorm
	description []nn.Module
}

func newOwn(e *mat.Engine) *own {
	rnd := rand.New(rand.NewPCG(1, 2))
	normal := func(n int, scale float64) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(rnd.NormFloat64() * scale)
		}
		return x
	}
	m := &own{
		engine: e,
		tokens: nn.NewEmbedding(nn.Weights{F32: normal(12*6, 1)}, 12, 6),
		up:     nn.NewLinear(e, nn.Weights{F32: normal(8*6, 0.5)}, 8, 6).WithBias(normal(8, 0.1)),
		norm:   nn.NewRMSNorm(normal(8, 1), 1e-6),
		down:   nn.NewLinear(e, nn.Weights{F32: normal(12*8, 0.5)}, 12, 8),
	}
	m.tokens.Padding = 3
	m.description = []nn.Module{
		{Path: "tokens", Type: "Embedding", Layer: m.tokens},
		{Path: "net", Type: "Sequential"},
		{Path: "net.up", Type: "Linear", Layer: m.up},
		{Path: "net.norm", Type: "RMSNorm", Layer: m.norm},
		{Path: "net.down", Type: "Linear", Layer: m.down, Output: true},
	}
	return m
}

func (m *own) Type() string         { return "custom" }
func (m *own) Engine() *mat.Engine  { return m.engine }
func (m *own) Modules() []nn.Module { return m.description }

func (m *own) forward(p *nn.Pass, rows nn.Ragged, ids []int) autodiff.Value {
	x := m.tokens.Forward(p, rows, ids)
	x = nn.Apply(p, autodiff.Tanh, m.up.Forward(p, rows, x))
	return m.down.Forward(p, rows, m.norm.Forward(p, rows, x))
}

// fresh returns a config for an own model and an adapter of random B.
func (m *own) fresh(t testing.TB, change func(c *poly.Config)) *poly.Adapter {
	c := poly.NewConfig()
	c.R, c.NTasks, c.NSkills, c.NSplits, c.InitWeights = 2, 3, 3, 2, false
	c.TargetModules = poly.ModuleNames("up", "down")
	if change != nil {
		change(c)
	}
	a, err := poly.Init(c, m, rand.NewPCG(3, 4))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A batch of an own model: the first sequence has no tokens.
var (
	ownRows   = nn.Ragged{0, 0, 4, 5, 8}
	ownIDs    = []int{1, 3, 5, 3, 11, 2, 2, 3}
	ownLabels = []int{3, 5, 7, -100, 0, 2, 3, 9}
	ownTasks  = []int{0, 2, 1, 2}
)

// An ownTraining trains an adapter of an own model.
type ownTraining struct {
	t testing.TB
	*own
	*poly.Trainer
	pass *nn.Pass
	tape *autodiff.Tape
}

func (m *own) train(t testing.TB, a *poly.Adapter, keys func(key string) bool) *ownTraining {
	tr, err := poly.NewTrainer(a, keys)
	if err != nil {
		t.Fatal(err)
	}
	return &ownTraining{t, m, tr, nn.NewPass(m.engine), autodiff.NewTape(m.engine)}
}

// backward returns the loss of the batch and adds its gradients, with those of the prior.
func (x *ownTraining) backward(r poly.Routing, prior poly.Prior) float32 {
	if err := x.Begin(ownTasks, r); err != nil {
		x.t.Fatal(err)
	}
	x.pass.ResetTraining(x.tape, len(ownTasks), x.Trained())
	loss, err := x.tape.CrossEntropy(x.forward(x.pass, ownRows, ownIDs), ownLabels, nn.IgnoreIndex, 0)
	if err != nil {
		x.t.Fatal(err)
	}
	if prior != (poly.Prior{}) {
		loss = x.tape.Plus(loss, x.Prior(x.tape, prior))
	}
	x.tape.Backward(loss, 1)
	return loss.Data[0]
}

// descend takes steps of plain gradient descent.
func (x *ownTraining) descend(steps int, rate float32) {
	for range steps {
		for _, p := range x.Params() {
			p.ZeroGrad()
		}
		x.backward(poly.Routing{}, poly.Prior{})
		for _, p := range x.Params() {
			x.engine.AddScaled(p.Value, p.Value, p.Grad, -rate)
		}
	}
}

// gradients returns a copy of all gradients.
func (x *ownTraining) gradients() (g []float32) {
	for _, p := range x.Params() {
		g = append(g, p.Grad.Data...)
	}
	return g
}

// logits returns the logits of the batch with an adapter, or without one where it is nil.
func (m *own) logits(t testing.TB, a *poly.Adapter) []float32 {
	deltas := make([][]*nn.Delta, len(ownTasks))
	if a != nil {
		for i, task := range ownTasks {
			d, err := a.Task(task).Delta()
			if err != nil {
				t.Fatal(err)
			}
			deltas[i] = []*nn.Delta{d}
		}
	}
	p := nn.NewPass(m.engine)
	if err := p.Reset(deltas); err != nil {
		t.Fatal(err)
	}
	return m.forward(p, ownRows, ownIDs).Data
}
