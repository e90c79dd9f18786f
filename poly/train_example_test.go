package poly_test

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"strings"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/optim"
	"github.com/polytropon/polytropon/poly"
)

// A fresh adapter of PEFT's defaults for a T5: it adds nothing before it is trained.
func ExampleInit() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	base, err := model.Open("../cmd/polybench/testdata/t5-mhr/base", e)
	if err != nil {
		log.Fatal(err)
	}
	config := poly.NewConfig()
	config.NTasks, config.NSplits = 3, 4
	adapter, err := poly.Init(config, base, rand.NewPCG(1, 2))
	if err != nil {
		log.Fatal(err)
	}
	l := adapter.Layers()[0]
	fmt.Println(adapter.Config().TargetModules, len(adapter.Layers()), l.Path)
	fmt.Println(len(l.Bank.A), len(l.Bank.B), len(l.Router.Logits), l.Bank.B[0])
	// Output:
	// ["q" "v"] 12 encoder.block.0.layer.0.SelfAttention.q
	// 2048 2048 48 0
}

// One step of a T5 on two tasks: forward, loss, backward, update.
func ExampleNewTrainer() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	base, err := model.Open("../cmd/polybench/testdata/t5-mhr/base", e)
	if err != nil {
		log.Fatal(err)
	}
	adapter, err := poly.Open("../cmd/polybench/testdata/t5-mhr/adapter", base)
	if err != nil {
		log.Fatal(err)
	}
	trainer, err := poly.NewTrainer(adapter, nil)
	if err != nil {
		log.Fatal(err)
	}
	adam, err := optim.NewAdam([]optim.Group{{Params: trainer.Params(), LR: 1e-2}}, optim.DefaultAdam())
	if err != nil {
		log.Fatal(err)
	}
	batch := []model.Sequence{
		{InputIDs: []int{17, 4, 99, 1}, DecoderInputIDs: []int{0, 5}},
		{InputIDs: []int{8, 1}, DecoderInputIDs: []int{0}},
	}
	tasks, labels := []int{2, 0}, []int{5, 1, 9}

	pass, tape := nn.NewPass(e), autodiff.NewTape(e)
	var losses []float32
	for range 2 {
		if err := trainer.Begin(tasks, poly.Routing{}); err != nil {
			log.Fatal(err)
		}
		pass.ResetTraining(tape, len(batch), trainer.Trained())
		loss, err := base.Loss(context.Background(), pass, batch, labels, 0)
		if err != nil {
			log.Fatal(err)
		}
		losses = append(losses, loss.Data[0])
		tape.Backward(loss, 1)
		adam.Step(e, 1)
		for _, p := range trainer.Params() {
			p.ZeroGrad()
		}
	}
	fmt.Println(len(trainer.Params()), "parameters, the loss falls:", losses[1] < losses[0])
	// Output: 36 parameters, the loss falls: true
}

// exampleTrainer returns a trainer of a fresh adapter of two tasks for a model of one layer, y = x over two features, and its engine.
func exampleTrainer(train func(key string) bool) (*poly.Trainer, *identity) {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	base := &identity{e, nn.NewLinear(e, nn.Weights{F32: []float32{1, 0, 0, 1}}, 2, 2)}
	config := poly.NewConfig()
	config.R, config.NTasks, config.NSkills = 1, 2, 2
	config.TargetModules = poly.ModuleNames("dense")
	adapter, err := poly.Init(config, base, rand.NewPCG(1, 2))
	if err != nil {
		log.Fatal(err)
	}
	trainer, err := poly.NewTrainer(adapter, train)
	if err != nil {
		log.Fatal(err)
	}
	return trainer, base
}

// MHR-z: the skills stay as they are.
func ExampleNewTrainer_routingOnly() {
	trainer, base := exampleTrainer(func(key string) bool { return strings.HasSuffix(key, ".poly_router.module_logits") })
	defer base.engine.Close()
	for _, p := range trainer.Params() {
		fmt.Println(p.Name, p.Shape)
	}
	// Output: base_model.model.dense.poly_router.module_logits [2 2]
}

// The recipe of Poly and MHR: a higher rate for the routing, and weight decay for the skills only.
func ExampleTrainer_Routing() {
	trainer, base := exampleTrainer(nil)
	defer base.engine.Close()
	for _, g := range optim.TwoSpeed(trainer.Skills(), trainer.Routing(), 0.01) {
		fmt.Println(g.LR, g.WeightDecay)
		for _, p := range g.Params {
			fmt.Println(" ", p.Name)
		}
	}
	// Output:
	// 0.001 0.01
	//   base_model.model.dense.poly_lora_A
	//   base_model.model.dense.poly_lora_B
	// 0.1 0
	//   base_model.model.dense.poly_router.module_logits
}

// Parameters have the names and shapes of a file's tensors.
func ExampleTrainer_Params() {
	trainer, base := exampleTrainer(nil)
	defer base.engine.Close()
	for _, p := range trainer.Params() {
		fmt.Println(p.Name, p.Shape)
	}
	// Output:
	// base_model.model.dense.poly_lora_A [1 2 2 1]
	// base_model.model.dense.poly_lora_B [1 2 1 2]
	// base_model.model.dense.poly_router.module_logits [2 2]
}

func ExampleTrainer_Begin() {
	trainer, base := exampleTrainer(nil)
	defer base.engine.Close()
	routing := poly.Routing{Relaxation: poly.RelaxedBernoulli, Uniforms: poly.RandomUniforms(rand.NewPCG(1, 2))}
	fmt.Println(trainer.Begin([]int{1, 0, 1}, routing)) // three sequences
	fmt.Println(trainer.Begin([]int{1, 2}, routing))
	fmt.Println(trainer.Begin([]int{1}, poly.Routing{Relaxation: poly.RelaxedBernoulli}))
	// Output:
	// <nil>
	// poly: sequence 1: poly: task id: got 2, want 0 ≤ id < 2 (n_tasks)
	// poly: routing: got no Uniforms, want a source of RelaxedBernoulli's draws
}

// A replica has the same parameters and its own gradients.
func ExampleTrainer_Replica() {
	trainer, base := exampleTrainer(nil)
	defer base.engine.Close()
	replica := trainer.Replica()
	trainer.Params()[0].Value.Data[0] = 7 // as an optimiser would
	replica.Params()[0].Grad.Data[0] = 3  // as a backward pass would
	fmt.Println(replica.Params()[0].Value.Data[0], trainer.Params()[0].Grad.Data[0])
	// Output: 7 0
}

// What Adapter returns stays as it is while the training goes on.
func ExampleTrainer_Adapter() {
	trainer, base := exampleTrainer(nil)
	defer base.engine.Close()
	logits := trainer.Routing()[0].Value.Data
	logits[0] = 20
	adapter := trainer.Adapter()
	logits[0] = -20
	fmt.Printf("%.2f\n", adapter.Layers()[0].Router.Weights(base.engine, 0).Row(0))
	// Output: [0.67 0.33]
}

// The Indian buffet process as a prior: the skill that both tasks use grows, the one that a single task uses shrinks.
func ExampleTrainer_Prior() {
	trainer, base := exampleTrainer(nil)
	defer base.engine.Close()
	logits := trainer.Routing()[0]
	copy(logits.Value.Data, []float32{1, 1, 1, -1}) // skill 0: both tasks; skill 1: task 0

	tape := autodiff.NewTape(base.engine)
	penalty := trainer.Prior(tape, poly.Prior{IBP: 1}) // to be added to a loss with tape.Plus
	tape.Backward(penalty, 1)
	fmt.Printf("%.3f %.3f\n", penalty.Data[0], logits.Grad.Data)
	// Output: 0.000 [-0.197 0.197 -0.197 0.197]
}

func ExampleRandomUniforms() {
	u := mat.New(1, 3)
	if err := poly.RandomUniforms(rand.NewPCG(1, 2)).Draw("encoder.block.0.layer.0.SelfAttention.q", u); err != nil {
		log.Fatal(err)
	}
	fmt.Println(u.Row(0))
	// Output: [0.76937324 0.6164362 0.784428]
}
