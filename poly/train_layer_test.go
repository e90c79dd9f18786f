package poly_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/poly"
)

// PEFT's layer of known values, as in TestLayerOfPEFT, in training: the gradients of the sum of the outputs.
func TestTrainLayerOfPEFT(t *testing.T) {
	want := map[string][]float64{
		"module_logits": {0.014722837, -0.011537659, 0.012982093, -0.009056418, -0.007907327, 0.005106390, -0.002335615, 0.001452615},
		"poly_lora_A": {0.025156215, 0.014780574, -0.030911446, -0.008144632, -0.008592844, 0.001782805, -0.074184805, -0.024951600,
			-0.098331340, -0.035484828, -0.156695023, -0.059331376, -0.128424436, -0.047270995, -0.191720337, -0.073083997},
		"poly_lora_B": {0.098688371, 0.098688371, 0.124913715, 0.124913715, 0.110244043, 0.110244043, 0.156018689, 0.156018689,
			0.101662576, 0.101662576, 0.132054567, 0.132054567, 0.107269846, 0.107269846, 0.148877859, 0.148877859},
	}
	e := newEngine(t)
	base := &identity{e, nn.NewLinear(e, nn.Weights{F32: ramp(16, 0.05)}, 4, 4).WithBias(ramp(4, 0.1))}
	config := poly.NewConfig()
	config.R, config.NTasks, config.NSkills, config.NSplits = 2, 2, 2, 2
	config.TargetModules = poly.ModuleNames("dense")
	source := tensors{}
	source.add("base_model.model.dense.poly_lora_A", []int{2, 2, 2, 2}, ramp(16, 0.04)...)
	source.add("base_model.model.dense.poly_lora_B", []int{2, 2, 2, 2}, ramp(16, 0.03)...)
	source.add("base_model.model.dense.poly_router.module_logits", []int{2, 4}, ramp(8, 0.5)...)
	a, err := poly.New(config, base, source)
	if err != nil {
		t.Fatal(err)
	}
	trainer, err := poly.NewTrainer(a, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := trainer.Begin([]int{1, 0}, poly.Routing{}); err != nil {
		t.Fatal(err)
	}
	tape, p := autodiff.NewTape(e), nn.NewPass(e)
	p.ResetTraining(tape, 2, trainer.Trained())
	x := mat.New(6, 4)
	for i := range x.Data {
		x.Data[i] = float32(i)*0.1 - 1
	}
	y := base.dense.Forward(p, nn.Ragged{0, 3, 6}, autodiff.Constant(x))
	for i, want := range slices.Concat(outputsOfPEFT...) {
		if math.Abs(float64(y.Data[i])-want) > 1e-6 {
			t.Errorf("output %d: got %v, want %v", i, y.Data[i], want)
		}
	}
	tape.Backward(tape.Total(y), 1)
	for _, p := range trainer.Params() {
		name := p.Name[strings.LastIndex(p.Name, ".")+1:]
		for i, want := range want[name] {
			if math.Abs(float64(p.Grad.Data[i])-want) > 1e-6 {
				t.Errorf("gradient %d of %s: got %v, want %v", i, name, p.Grad.Data[i], want)
			}
		}
	}
}

// two is a model of two linear layers, one on the output of the other, of which sizes says how long the vectors are.
type two struct {
	engine *mat.Engine
	layers [2]*nn.Linear
}

func (m *two) Type() string        { return "custom" }
func (m *two) Engine() *mat.Engine { return m.engine }
func (m *two) Modules() []nn.Module {
	return []nn.Module{{Path: "0", Type: "Linear", Layer: m.layers[0]}, {Path: "1", Type: "Linear", Layer: m.layers[1]}}
}

// kept draws uniforms and keeps them.
type kept struct {
	source poly.Uniforms
	draws  map[string][]float32
}

func (k kept) Draw(path string, u mat.Matrix) error {
	err := k.source.Draw(path, u)
	k.draws[path] = slices.Clone(u.Data)
	return err
}

// exact is a trained layer in float64.
type exact struct {
	splits, skills, r, in, out int
	w, a, b, z, u              []float64
	temperature                float64 // 0: no draws
}

// forward returns the layer's output for the rows of every sequence.
func (l *exact) forward(x [][]float64, rows nn.Ragged, tasks []int) [][]float64 {
	y := make([][]float64, len(x))
	n, in, out := l.splits*l.skills, l.in/l.splits, l.out/l.splits
	for seq, task := range tasks {
		weights := make([]float64, n)
		for q := range l.splits {
			sum := 1e-12
			for j := q * l.skills; j < (q+1)*l.skills; j++ {
				z := l.z[task*n+j]
				if l.temperature > 0 {
					u := l.u[seq*n+j]
					z = (z + math.Log(u/(1-u))) / l.temperature
				}
				weights[j] = 1 / (1 + math.Exp(-z))
				sum += weights[j]
			}
			for j := q * l.skills; j < (q+1)*l.skills; j++ {
				weights[j] /= sum
			}
		}
		for i := rows[seq]; i < rows[seq+1]; i++ {
			y[i] = make([]float64, l.out)
			h := make([]float64, l.r)
			for f, v := range x[i] {
				for o := range l.out {
					y[i][o] += v * l.w[o*l.in+f]
				}
				q := f / in
				for s := range l.skills {
					for k := range l.r {
						h[k] += v * weights[q*l.skills+s] * l.a[((q*l.skills+s)*in+f%in)*l.r+k]
					}
				}
			}
			for o := range l.out {
				q := o / out
				for s := range l.skills {
					for k, v := range h {
						y[i][o] += v * weights[q*l.skills+s] * l.b[((q*l.skills+s)*l.r+k)*out+o%out] / float64(l.r)
					}
				}
			}
		}
	}
	return y
}

// The gradients of banks and routers, through two layers, are those of central differences in float64.
func TestTrainLayerGradients(t *testing.T) {
	e := newEngine(t)
	for _, c := range []struct {
		splits, skills, r int
		sizes             [3]int
		lengths, tasks    []int
		temperature       float64
	}{
		{1, 1, 1, [3]int{1, 1, 1}, []int{1}, []int{0}, 0},
		{1, 4, 2, [3]int{5, 7, 3}, []int{3, 0, 2}, []int{1, 0, 1}, 0},
		{3, 2, 2, [3]int{9, 6, 15}, []int{1, 4}, []int{2, 2}, 0},
		{2, 3, 5, [3]int{10, 4, 6}, []int{2, 3, 1}, []int{1, 2, 1}, 1},
		{2, 5, 1, [3]int{34, 18, 22}, []int{7, 1, 3}, []int{0, 2, 0}, 0.7},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(5, 6))
			base := &two{engine: e}
			var layers [2]*exact
			for i := range layers {
				l := &exact{splits: c.splits, skills: c.skills, r: c.r, in: c.sizes[i], out: c.sizes[i+1], temperature: c.temperature}
				l.w = widened(normals(rnd, l.in*l.out))
				layers[i] = l
				base.layers[i] = nn.NewLinear(e, nn.Weights{F32: narrowed(l.w)}, l.out, l.in)
			}
			config := poly.NewConfig()
			config.R, config.NTasks, config.NSkills, config.NSplits, config.InitWeights = c.r, 3, c.skills, c.splits, false
			config.TargetModules = poly.ModuleNames("0", "1")
			a, err := poly.Init(config, base, rand.NewPCG(7, 8))
			if err != nil {
				t.Fatal(err)
			}
			trainer, err := poly.NewTrainer(a, nil)
			if err != nil {
				t.Fatal(err)
			}
			params := trainer.Params()
			tensors := []*[]float64{&layers[0].a, &layers[0].b, &layers[0].z, &layers[1].a, &layers[1].b, &layers[1].z}
			for i, p := range params {
				copy(p.Value.Data, normals(rnd, len(p.Value.Data)))
				*tensors[i] = widened(p.Value.Data)
			}
			draws := kept{poly.RandomUniforms(rand.NewPCG(9, 10)), map[string][]float32{}}
			routing := poly.Routing{}
			if c.temperature > 0 {
				routing = poly.Routing{Relaxation: poly.RelaxedBernoulli, Temperature: float32(c.temperature), Uniforms: draws}
			}
			if err := trainer.Begin(c.tasks, routing); err != nil {
				t.Fatal(err)
			}
			for i, l := range layers {
				l.u, l.temperature = widened(draws.draws[fmt.Sprint(i)]), float64(float32(c.temperature))
			}
			rows := nn.RaggedOf(len(c.lengths), func(i int) int { return c.lengths[i] })
			x, g := mat.New(rows.Rows(), c.sizes[0]), mat.New(rows.Rows(), c.sizes[2])
			copy(x.Data, normals(rnd, len(x.Data)))
			copy(g.Data, normals(rnd, len(g.Data)))

			p, tape := nn.NewPass(e), autodiff.NewTape(e)
			p.ResetTraining(tape, len(c.tasks), trainer.Trained())
			y := base.layers[1].Forward(p, rows, base.layers[0].Forward(p, rows, autodiff.Constant(x)))
			tape.Backward(tape.Total(tape.Times(y, autodiff.Constant(g))), 1)

			loss := func() (sum float64) {
				v := make([][]float64, x.Rows)
				for i := range v {
					v[i] = widened(x.Row(i))
				}
				for _, l := range layers {
					v = l.forward(v, rows, c.tasks)
				}
				for i := range v {
					for j := range v[i] {
						sum += v[i][j] * float64(g.Row(i)[j])
					}
				}
				return sum
			}
			for i, param := range params {
				for range 3 {
					checkDerivative(t, param, *tensors[i], normals(rnd, len(param.Value.Data)), loss)
				}
			}
		})
	}
}

// checkDerivative compares the derivative of loss in a direction of values, which it depends on, with central differences.
func checkDerivative(t *testing.T, param *autodiff.Param, values []float64, direction []float32, loss func() float64) {
	t.Helper()
	start, got, size := slices.Clone(values), 0.0, 0.0
	for j, d := range direction {
		got += float64(d) * float64(param.Grad.Data[j])
		size += math.Abs(float64(d) * float64(param.Grad.Data[j]))
	}
	const h = 1e-5
	shifted := func(by float64) float64 {
		for j, d := range direction {
			values[j] = start[j] + by*float64(d)
		}
		return loss()
	}
	want := (shifted(h) - shifted(-h)) / (2 * h)
	copy(values, start)
	if math.Abs(got-want) > 2e-5*(size+1) {
		t.Errorf("%s: derivative in a direction: got %v, want %v", param.Name, got, want)
	}
}

func normals(rnd *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rnd.NormFloat64())
	}
	return x
}

func widened(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

func narrowed(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}
