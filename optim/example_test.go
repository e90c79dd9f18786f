package optim_test

import (
	"errors"
	"fmt"
	"io/fs"
	"log"
	"math"
	"os"
	"path/filepath"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/optim"
)

// newExample returns a vector of the values, with a gradient that is their double: that of the sum of squares.
func newExample(name string, values ...float32) *autodiff.Param {
	p := autodiff.NewParam(name, []int{len(values)}, values)
	setGrad(p)
	return p
}

func setGrad(p *autodiff.Param) {
	for i, v := range p.Value.Data {
		p.Grad.Data[i] = 2 * v
	}
}

func newExampleEngine() *mat.Engine {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	return e
}

// Skills and routing learn at their own rates, along a schedule, with clipped gradients.
func Example() {
	e := newExampleEngine()
	defer e.Close()
	skill, routing := newExample("A", 1, -1), newExample("Z", 1)
	params := []*autodiff.Param{skill, routing}

	adam, err := optim.NewAdamW(optim.TwoSpeed(params[:1], params[1:], 0.01), optim.DefaultAdam())
	if err != nil {
		log.Fatal(err)
	}
	schedule := optim.Linear(3, 50)
	clip := optim.NewClip(params, 1)
	for range 50 {
		for _, p := range params {
			setGrad(p)
		}
		clip.Apply(e)
		adam.Step(e, schedule(adam.Steps()))
	}
	fmt.Printf("%.3f %.3f\n", skill.Value.Data, routing.Value.Data)
	// Output: [0.974 -0.974] [-0.040]
}

func ExampleNewAdam() {
	e := newExampleEngine()
	defer e.Close()
	w := newExample("w", 1, -2)
	options := optim.DefaultAdam()
	options.Beta2 = 0.99
	adam, err := optim.NewAdam([]optim.Group{{Params: []*autodiff.Param{w}, LR: 0.1}}, options)
	if err != nil {
		log.Fatal(err)
	}
	adam.Step(e, 1)
	fmt.Println(w.Value.Data)
	// Output: [0.9 -1.9]
}

func ExampleNewAdamW() {
	e := newExampleEngine()
	defer e.Close()
	w := newExample("w", 1, -2)
	adam, err := optim.NewAdamW([]optim.Group{{Params: []*autodiff.Param{w}, LR: 0.1, WeightDecay: 0.5}}, optim.DefaultAdam())
	if err != nil {
		log.Fatal(err)
	}
	adam.Step(e, 1)
	fmt.Println(w.Value.Data)
	// Output: [0.85 -1.8]
}

func ExampleNewSGD() {
	e := newExampleEngine()
	defer e.Close()
	w := newExample("w", 1, -2)
	sgd, err := optim.NewSGD([]optim.Group{{Params: []*autodiff.Param{w}, LR: 0.125}}, optim.SGDOptions{Momentum: 0.9})
	if err != nil {
		log.Fatal(err)
	}
	sgd.Step(e, 1)
	sgd.Step(e, 0.5) // the same gradient at half the rate
	fmt.Println(w.Value.Data, sgd.Steps())
	// Output: [0.5125 -1.025] 2
}

// Adafactor as the T5 recipes use it, with rates of one's own.
func ExampleNewAdafactor() {
	e := newExampleEngine()
	defer e.Close()
	w := autodiff.NewParam("w", []int{2, 2}, []float32{1, -1, 1, -1})
	setGrad(w)
	options := optim.DefaultAdafactor()
	options.RelativeStep, options.ScaleParameter = false, false
	adafactor, err := optim.NewAdafactor([]optim.Group{{Params: []*autodiff.Param{w}, LR: 0.25}}, options)
	if err != nil {
		log.Fatal(err)
	}
	adafactor.Step(e, 1)
	fmt.Println(w.Value.Data)
	for _, s := range adafactor.State() {
		fmt.Println(s.Name, s.Shape)
	}
	// Output:
	// [0.75 -0.75 0.75 -0.75]
	// step []
	// w.exp_avg_sq_row [2]
	// w.exp_avg_sq_col [2]
}

func ExampleClip_Apply() {
	e := newExampleEngine()
	defer e.Close()
	w := newExample("w", 3, 4)
	clip := optim.NewClip([]*autodiff.Param{w}, 1)
	fmt.Printf("%v %.4f\n", clip.Apply(e), w.Grad.Data)
	// Output: 10 [0.6000 0.8000]
}

// With the norm +Inf gradients are measured and left as they are.
func ExampleNewClip() {
	e := newExampleEngine()
	defer e.Close()
	w := newExample("w", 3, 4)
	clip := optim.NewClip([]*autodiff.Param{w}, math.Inf(1))
	fmt.Println(clip.Apply(e), w.Grad.Data)
	// Output: 10 [6 8]
}

// By default the rate comes from the number of steps and the parameter's own size: groups have none.
func ExampleDefaultAdafactor() {
	e := newExampleEngine()
	defer e.Close()
	w := newExample("w", 1, -1)
	adafactor, err := optim.NewAdafactor([]optim.Group{{Params: []*autodiff.Param{w}}}, optim.DefaultAdafactor())
	if err != nil {
		log.Fatal(err)
	}
	adafactor.Step(e, 1)
	fmt.Println(w.Value.Data)
	// Output: [0.99 -0.99]
}

// What any optimiser tells of itself.
func ExampleOptimizer() {
	e := newExampleEngine()
	defer e.Close()
	var o optim.Optimizer = newExampleAdam(newExample("w", 1, -2))
	o.Step(e, 1)
	for _, g := range o.Groups() {
		fmt.Println(g.Params[0].Name, g.LR)
	}
	fmt.Println("steps:", o.Steps())
	for _, t := range o.State() {
		fmt.Println(t.Name, t.DType, t.Shape)
	}
	// Output:
	// w 0.1
	// steps: 1
	// step I64 []
	// w.exp_avg F32 [2]
	// w.exp_avg_sq F32 [2]
}

// factors returns what a schedule says for the first steps.
func factors(s optim.Schedule) string {
	f := make([]float64, 7)
	for step := range f {
		f[step] = s(step)
	}
	return fmt.Sprintf("%.2f", f)
}

func ExampleConstant() {
	fmt.Println(factors(optim.Constant()))
	// Output: [1.00 1.00 1.00 1.00 1.00 1.00 1.00]
}

func ExampleConstantWithWarmup() {
	fmt.Println(factors(optim.ConstantWithWarmup(2)))
	// Output: [0.00 0.50 1.00 1.00 1.00 1.00 1.00]
}

func ExampleLinear() {
	fmt.Println(factors(optim.Linear(2, 6)))
	// Output: [0.00 0.50 1.00 0.75 0.50 0.25 0.00]
}

func ExampleCosine() {
	fmt.Println(factors(optim.Cosine(2, 6)))
	// Output: [0.00 0.50 1.00 0.85 0.50 0.15 0.00]
}

// newExampleAdam returns Adam for one parameter.
func newExampleAdam(w *autodiff.Param) *optim.Adam {
	adam, err := optim.NewAdam([]optim.Group{{Params: []*autodiff.Param{w}, LR: 0.1}}, optim.DefaultAdam())
	if err != nil {
		log.Fatal(err)
	}
	return adam
}

// A run is stopped and goes on in another process.
func ExampleSave() {
	e := newExampleEngine()
	defer e.Close()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "optimizer.safetensors")

	w := newExample("w", 1, -2)
	adam := newExampleAdam(w)
	adam.Step(e, 1)
	if err := optim.Save(path, adam); err != nil {
		log.Fatal(err)
	}

	resumed := newExampleAdam(newExample("w", w.Value.Data...))
	if err := optim.Load(path, resumed); err != nil {
		log.Fatal(err)
	}
	fmt.Println(resumed.Steps())
	// Output: 1
}

func ExampleLoad() {
	err := optim.Load("missing.safetensors", newExampleAdam(newExample("w", 1)))
	fmt.Println(errors.Is(err, fs.ErrNotExist))
	// Output: true
}

// A state can also stay in memory, or go into a file with other tensors.
func ExampleAdam_SetState() {
	e := newExampleEngine()
	defer e.Close()
	adam := newExampleAdam(newExample("w", 1, -2))
	before := adam.State()
	adam.Step(e, 1)
	if err := adam.SetState(before); err != nil {
		log.Fatal(err)
	}
	fmt.Println(adam.Steps())
	fmt.Println(adam.SetState(before[:2]))
	// Output:
	// 0
	// optim: tensor "w.exp_avg_sq" is missing, want F32 of shape [2]
}

func ExampleTwoSpeed() {
	groups := optim.TwoSpeed([]*autodiff.Param{newExample("A", 1)}, []*autodiff.Param{newExample("Z", 1)}, 0.01)
	for _, g := range groups {
		fmt.Println(g.Params[0].Name, g.LR, g.WeightDecay)
	}
	// Output:
	// A 0.001 0.01
	// Z 0.1 0
}
