package train_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/optim"
	"github.com/polytropon/polytropon/poly"
	"github.com/polytropon/polytropon/train"
)

func newEngine() *mat.Engine {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	return e
}

func newAdam(o train.Objective, lr float64) *optim.Adam {
	adam, err := optim.NewAdam([]optim.Group{{Params: o.Params(), LR: lr}}, optim.DefaultAdam())
	if err != nil {
		log.Fatal(err)
	}
	return adam
}

// A model of one's own learns which number follows which.
func Example() {
	e := newEngine()
	defer e.Close()
	objective := newLookup(10, 8, 10, 1) // an Objective: two matrices and a cross-entropy; see lookup_test.go
	loop, err := train.New(train.Config{
		Engine:    e,
		Objective: objective,
		Optimizer: newAdam(objective, 0.03),
		Schedule:  optim.Linear(5, 60),
		Train:     train.Shuffle(successors(40, 3, 10), 7),
		Eval:      successors(4, 10, 10),

		BatchTokens:               12,
		GradientAccumulationSteps: 2,
		MaxSteps:                  60,
		EvalSteps:                 20,

		OnEvaluate: func(e train.Evaluation) {
			fmt.Printf("step %d: %d labels, loss %.2f, best so far: %v\n", e.Step, e.Labels, e.Loss, e.Best)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := loop.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
	p := loop.Position()
	fmt.Printf("epoch %d, example %d, %d tokens\n", p.Epoch, p.Example, p.Tokens)
	// Output:
	// step 20: 40 labels, loss 1.01, best so far: true
	// step 40: 40 labels, loss 0.28, best so far: true
	// step 60: 40 labels, loss 0.16, best so far: true
	// epoch 12, example 0, 1440 tokens
}

// A Poly adapter on a T5 learns two tasks; what is kept of it is a folder that PEFT opens.
func ExamplePolyModel() {
	e := newEngine()
	defer e.Close()
	base, err := model.Open(filepath.Join(t5, "base"), e)
	if err != nil {
		log.Fatal(err)
	}
	config := poly.NewConfig()
	config.R, config.NTasks, config.NSkills, config.NSplits = 4, 2, 2, 2
	config.TaskType = new("SEQ_2_SEQ_LM") // without one PEFT opens it, but takes no task_ids
	adapter, err := poly.Init(config, base, rand.NewPCG(1, 1))
	if err != nil {
		log.Fatal(err)
	}
	trainer, err := poly.NewTrainer(adapter, nil)
	if err != nil {
		log.Fatal(err)
	}
	groups := optim.TwoSpeed(trainer.Skills(), trainer.Routing(), 0.01)
	groups[0].LR = 0.01 // for a base model as small as this
	optimizer, err := optim.NewAdamW(groups, optim.DefaultAdam())
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "train")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	var first, last train.Progress
	loop, err := train.New(train.Config{
		Engine:    e,
		Objective: &train.PolyModel{Base: base, Trainer: trainer, Relaxation: poly.RelaxedBernoulli, Prior: poly.Prior{L1: 0.01}},
		Optimizer: optimizer,
		Train: train.Shuffle(train.Slice{
			{Task: 0, InputIDs: []int{11, 12, 13, 1}, Labels: []int{11, 12, 13, 1}}, // to copy
			{Task: 1, InputIDs: []int{11, 12, 13, 1}, Labels: []int{13, 12, 11, 1}}, // to reverse
			{Task: 0, InputIDs: []int{21, 22, 1}, Labels: []int{21, 22, 1}},
			{Task: 1, InputIDs: []int{21, 22, 1}, Labels: []int{22, 21, 1}},
		}, 1),
		BatchSize:      4,
		NumTrainEpochs: 30,
		MaxGradNorm:    1,
		OutputDir:      dir,
		OnStep: func(p train.Progress) {
			if first.Step == 0 {
				first = p
			}
			last = p
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := loop.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
	path, err := train.LastCheckpoint(dir)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := poly.Open(path, base); err != nil {
		log.Fatal(err)
	}
	fmt.Println(filepath.Base(path), last.Labels, "labels a step, the loss fell:", last.Loss < first.Loss/2)
	fmt.Println("skills", last.LearningRates[0], "routing", last.LearningRates[1])
	// Output:
	// checkpoint-30 14 labels a step, the loss fell: true
	// skills 0.01 routing 0.1
}

func ExampleNew() {
	e := newEngine()
	defer e.Close()
	objective, other := newLookup(10, 8, 10, 1), newLookup(10, 8, 10, 1)
	c := train.Config{Engine: e, Objective: objective, Optimizer: newAdam(objective, 0.03), Train: successors(40, 3, 10), BatchSize: 4}
	_, err := train.New(c)
	fmt.Println(err)
	c.MaxSteps, c.Optimizer = 10, newAdam(other, 0.03)
	_, err = train.New(c)
	fmt.Println(err)
	// Output:
	// train: MaxSteps and NumTrainEpochs: got 0 for both, want a limit
	// train: Optimizer: group 0: got parameter "table" that is not the Objective's, want those that its Params returns
}

// What an example takes of a micro-batch, and what is wrong with another.
func ExamplePolyModel_Measure() {
	e := newEngine()
	defer e.Close()
	base, err := model.Open(filepath.Join(t5, "base"), e)
	if err != nil {
		log.Fatal(err)
	}
	objective := &train.PolyModel{Base: base}
	fmt.Println(objective.Measure(train.Example{InputIDs: []int{11, 12, 1}, Labels: []int{-100, 1}}))
	_, err = objective.Measure(train.Example{InputIDs: []int{11, 12, 1}, Labels: []int{256}})
	fmt.Println(err)
	// Output:
	// {5 1} <nil>
	// labels[0]: got 256, want 0 ≤ label < 256 or -100
}

// A rate that is too high ends in a typed error; the parameters are those before the step.
func ExampleLoop_Run() {
	e := newEngine()
	defer e.Close()
	objective := newLookup(10, 8, 10, 1)
	sgd, err := optim.NewSGD([]optim.Group{{Params: objective.Params(), LR: 1e30}}, optim.SGDOptions{})
	if err != nil {
		log.Fatal(err)
	}
	loop, err := train.New(train.Config{
		Engine: e, Objective: objective, Optimizer: sgd, Train: successors(40, 3, 10), BatchSize: 4, MaxSteps: 10,
		OnStep: func(p train.Progress) { fmt.Printf("step %d: loss %.3f, norm %.3f\n", p.Step, p.Loss, p.Norm) },
	})
	if err != nil {
		log.Fatal(err)
	}
	var bad *train.NonFiniteError
	if err := loop.Run(context.Background()); errors.As(err, &bad) {
		fmt.Printf("step %d failed: %v\n", bad.Step, err)
	}
	// Output:
	// step 1: loss 2.340, norm 0.522
	// step 2 failed: train: step 2: loss: got +Inf, want a finite number
}

// squares are examples that are made when they are asked for.
type squares int

func (s squares) Len() int { return int(s) }

func (s squares) At(i int) (train.Example, error) {
	return train.Example{InputIDs: []int{i}, Labels: []int{i * i}}, nil
}

// Examples that are found by number need not be in memory.
func ExampleIndexed() {
	for x, err := range train.Shuffle(squares(5), 1).Examples(0, 3) {
		fmt.Println(x.InputIDs, x.Labels, err)
	}
	// Output:
	// [4] [16] <nil>
	// [3] [9] <nil>
}

func ExampleLastCheckpoint() {
	_, err := train.LastCheckpoint("testdata")
	fmt.Println(errors.Is(err, fs.ErrNotExist), err)
	// Output:
	// true train: testdata: file does not exist: no checkpoint-<step>
}

// A run that is stopped goes on where it was: with the bits of one that was not.
func ExampleLoop_Load() {
	e := newEngine()
	defer e.Close()
	dir, err := os.MkdirTemp("", "train")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	run := func(output string, stopAfter int) float32 {
		objective := newLookup(10, 8, 10, 1)
		ctx, cancel := context.WithCancelCause(context.Background())
		loop, err := train.New(train.Config{
			Engine: e, Objective: objective, Optimizer: newAdam(objective, 0.1),
			Train: train.Shuffle(successors(40, 3, 10), 7), BatchSize: 4, MaxSteps: 30, SaveSteps: 10, OutputDir: output,
			OnStep: func(p train.Progress) {
				if p.Step == stopAfter {
					cancel(errors.New("time is up"))
				}
			},
		})
		if err != nil {
			log.Fatal(err)
		}
		switch last, err := train.LastCheckpoint(output); {
		case err == nil:
			if err := loop.Load(last); err != nil {
				log.Fatal(err)
			}
		case !errors.Is(err, fs.ErrNotExist):
			log.Fatal(err)
		}
		if err := loop.Run(ctx); err != nil {
			fmt.Println(err)
		}
		return objective.table.Value.Data[0]
	}
	whole := run(filepath.Join(dir, "whole"), 0)
	run(filepath.Join(dir, "stopped"), 17)
	resumed := run(filepath.Join(dir, "stopped"), 0)
	fmt.Println(resumed == whole)
	// Output:
	// train: stopped after step 17: time is up
	// true
}

func ExampleBestCheckpoint() {
	e := newEngine()
	defer e.Close()
	dir, err := os.MkdirTemp("", "train")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	objective := newLookup(10, 8, 10, 1)
	loop, err := train.New(train.Config{
		Engine: e, Objective: objective, Optimizer: newAdam(objective, 0.3),
		Train:     successors(40, 3, 10),
		Eval:      train.Slice{{InputIDs: []int{4}, Labels: []int{6}}}, // which gets worse
		BatchSize: 4, MaxSteps: 6, EvalSteps: 2, OutputDir: dir,
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := loop.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
	best, err := train.BestCheckpoint(dir)
	if err != nil {
		log.Fatal(err)
	}
	last, err := train.LastCheckpoint(dir)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(filepath.Base(best), filepath.Base(last))
	// Output:
	// checkpoint-2 checkpoint-6
}

func ExampleShuffle() {
	letters := train.Slice{{Task: 0}, {Task: 1}, {Task: 2}, {Task: 3}, {Task: 4}}
	data := train.Shuffle(letters, 1)
	for epoch := range 2 {
		for _, from := range []int{0, 2} {
			var tasks []int
			for x, err := range data.Examples(epoch, from) {
				if err != nil {
					log.Fatal(err)
				}
				tasks = append(tasks, x.Task)
			}
			fmt.Println(tasks)
		}
	}
	// Output:
	// [2 0 1 4 3]
	// [1 4 3]
	// [0 4 2 1 3]
	// [2 1 3]
}

// A dataset that is read line by line, say, from a file.
func ExampleStream() {
	data := train.Stream(func(epoch int) iter.Seq2[train.Example, error] {
		return func(yield func(train.Example, error) bool) {
			for i := range 4 {
				if !yield(train.Example{Task: 10*epoch + i}, nil) {
					return
				}
			}
			yield(train.Example{}, errors.New("line 5: got a fish"))
		}
	})
	for x, err := range data.Examples(1, 2) {
		fmt.Println(x.Task, err)
	}
	// Output:
	// 12 <nil>
	// 13 <nil>
	// 0 line 5: got a fish
}
