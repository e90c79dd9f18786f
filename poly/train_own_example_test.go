package poly_test

import (
	"fmt"
	"log"
	"math/rand/v2"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/optim"
	"github.com/polytropon/polytropon/poly"
)

// successor is a frozen model of four tokens, made of layers of nn, that names the token after each token: 1 after 0, …, 0 after 3.
type successor struct {
	engine     *mat.Engine
	embedding  *nn.Embedding
	hidden     *nn.Linear
	classifier *nn.Linear
}

func newSuccessor(e *mat.Engine) *successor {
	one := []float32{4, 0, 0, 0, 0, 4, 0, 0, 0, 0, 4, 0, 0, 0, 0, 4}
	shift := []float32{0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0}
	return &successor{
		engine:     e,
		embedding:  nn.NewEmbedding(nn.Weights{F32: one}, 4, 4),
		hidden:     nn.NewLinear(e, nn.Weights{F32: shift}, 4, 4),
		classifier: nn.NewLinear(e, nn.Weights{F32: one}, 4, 4),
	}
}

// Type, Engine and Modules make it a poly.Base.
func (m *successor) Type() string        { return "custom" }
func (m *successor) Engine() *mat.Engine { return m.engine }
func (m *successor) Modules() []nn.Module {
	return []nn.Module{
		{Path: "embedding", Type: "Embedding", Layer: m.embedding},
		{Path: "hidden", Type: "Linear", Layer: m.hidden},
		{Path: "classifier", Type: "Linear", Layer: m.classifier, Output: true},
	}
}

// Forward is the same with adapters, with a tape or with neither: the pass says which.
func (m *successor) Forward(p *nn.Pass, rows nn.Ragged, ids []int) autodiff.Value {
	return m.classifier.Forward(p, rows, m.hidden.Forward(p, rows, m.embedding.Forward(p, rows, ids)))
}

// A model of one's own learns two tasks at once: to name the token itself, and the token before it.
func Example_ownModel() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	base := newSuccessor(e)

	config := poly.NewConfig()
	config.R, config.NTasks, config.NSkills, config.NSplits = 4, 2, 2, 2
	config.TargetModules = poly.ModuleNames("hidden")
	fresh, err := poly.Init(config, base, rand.NewPCG(1, 2))
	if err != nil {
		log.Fatal(err)
	}
	trainer, err := poly.NewTrainer(fresh, nil)
	if err != nil {
		log.Fatal(err)
	}
	skills := optim.Group{Params: trainer.Skills(), LR: 0.02}
	routing := optim.Group{Params: trainer.Routing(), LR: 0.1}
	adam, err := optim.NewAdam([]optim.Group{skills, routing}, optim.DefaultAdam())
	if err != nil {
		log.Fatal(err)
	}

	// A batch of two sequences, of a task each.
	tasks := []int{0, 1}
	rows := nn.Ragged{0, 4, 8}
	ids := []int{0, 1, 2, 3, 0, 1, 2, 3}
	labels := []int{0, 1, 2, 3, 3, 0, 1, 2}

	pass, tape := nn.NewPass(e), autodiff.NewTape(e)
	draws := poly.RandomUniforms(rand.NewPCG(3, 4))
	var first, last float32
	for step := range 200 {
		if err := trainer.Begin(tasks, poly.Routing{Relaxation: poly.RelaxedBernoulli, Uniforms: draws}); err != nil {
			log.Fatal(err)
		}
		pass.ResetTraining(tape, len(tasks), trainer.Trained())
		loss, err := tape.CrossEntropy(base.Forward(pass, rows, ids), labels, nn.IgnoreIndex, 0)
		if err != nil {
			log.Fatal(err)
		}
		tape.Backward(loss, 1)
		adam.Step(e, 1)
		for _, p := range trainer.Params() {
			p.ZeroGrad()
		}
		if last = loss.Data[0]; step == 0 {
			first = last
		}
	}
	fmt.Println("the loss falls to less than a tenth:", last < first/10)

	// The adapter serves sequences of both tasks and of none in one batch.
	adapter := trainer.Adapter()
	deltas := make([][]*nn.Delta, 3)
	for task := range 2 {
		d, err := adapter.Task(task).Delta()
		if err != nil {
			log.Fatal(err)
		}
		deltas[task] = []*nn.Delta{d}
	}
	if err := pass.Reset(deltas); err != nil {
		log.Fatal(err)
	}
	logits := base.Forward(pass, nn.Ragged{0, 1, 2, 3}, []int{2, 2, 2})
	for i, name := range []string{"itself", "before", "after"} {
		best := 0
		for token, x := range logits.Row(i) {
			if x > logits.Row(i)[best] {
				best = token
			}
		}
		fmt.Println(name, best)
	}
	// Output:
	// the loss falls to less than a tenth: true
	// itself 2
	// before 1
	// after 3
}
