package poly_test

import (
	"errors"
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
				values := *tensors[i]
				for range 3 {
					direction, start, got, size := normals(rnd, len(values)), slices.Clone(values), 0.0, 0.0
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
			}
		})
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

// What is not chosen stays as it is and has no parameter; MHR-z trains the routing alone.
func TestTrainRoutingOnly(t *testing.T) {
	m := newOwn(newEngine(t))
	before := m.train(t, m.fresh(t, func(c *poly.Config) { c.ModulesToSave = []string{"norm"} }), nil)
	before.descend(3, 0.1) // so that the norm is not the base's
	a := before.Adapter()
	x := m.train(t, a, func(key string) bool { return strings.HasSuffix(key, ".poly_router.module_logits") })
	var names []string
	for _, p := range x.Params() {
		names = append(names, p.Name)
	}
	want := []string{"base_model.model.net.up.poly_router.module_logits", "base_model.model.net.down.poly_router.module_logits"}
	if !slices.Equal(names, want) || !slices.Equal(x.Routing(), x.Params()) || len(x.Skills()) > 0 {
		t.Errorf("got the parameters %q, want %q, all of routing", names, want)
	}
	full := m.train(t, a, nil)
	if x.backward(poly.Routing{}, poly.Prior{}) != full.backward(poly.Routing{}, poly.Prior{}) {
		t.Error("another loss than with everything trained")
	}
	for i, p := range x.Routing() {
		if !slices.Equal(p.Grad.Data, full.Routing()[i].Grad.Data) {
			t.Errorf("%s: another gradient than with everything trained", p.Name)
		}
	}
	x.descend(5, 0.1)
	trained := x.Adapter()
	for i, l := range trained.Layers() {
		old := a.Layers()[i]
		if !slices.Equal(l.Bank.A, old.Bank.A) || !slices.Equal(l.Bank.B, old.Bank.B) || slices.Equal(l.Router.Logits, old.Router.Logits) {
			t.Errorf("%s: want another router and the same bank", l.Path)
		}
	}
}

// Each key can be trained alone, with the gradient that it has among all.
func TestTrainOneKey(t *testing.T) {
	m := newOwn(newEngine(t))
	a := m.fresh(t, func(c *poly.Config) { c.ModulesToSave = []string{"norm", "tokens"} })
	full := m.train(t, a, nil)
	full.backward(poly.Routing{}, poly.Prior{})
	if n := len(full.Params()); n != 8 {
		t.Fatalf("got %d parameters, want 8", n)
	}
	for _, want := range full.Params() {
		x := m.train(t, a, func(key string) bool { return key == want.Name })
		x.backward(poly.Routing{}, poly.Prior{})
		got := x.Params()
		if len(got) != 1 || got[0].Name != want.Name || !slices.Equal(got[0].Grad.Data, want.Grad.Data) {
			t.Errorf("%s: got %d parameters, or another gradient than with everything trained", want.Name, len(got))
		}
	}
}

func TestNewTrainerWithoutParams(t *testing.T) {
	m := newOwn(newEngine(t))
	_, err := poly.NewTrainer(m.fresh(t, nil), func(string) bool { return false })
	if err == nil || err.Error() != "poly: trainer: got none of 6 tensors to train, want at least one" {
		t.Errorf("got %v", err)
	}
}

// A replica sees what the original's optimiser does, and has gradients of its own.
func TestReplica(t *testing.T) {
	m := newOwn(newEngine(t))
	for name, keys := range map[string]func(string) bool{"all": nil, "routing": func(key string) bool { return strings.HasSuffix(key, "logits") }} {
		x := m.train(t, m.fresh(t, func(c *poly.Config) { c.ModulesToSave = []string{"tokens", "norm"} }), keys)
		x.descend(3, 0.1)
		replica := &ownTraining{t, m, x.Replica(), nn.NewPass(m.engine), autodiff.NewTape(m.engine)}
		for _, p := range x.Params() {
			p.ZeroGrad()
		}
		loss, before := replica.backward(poly.Routing{}, poly.Prior{}), x.gradients()
		if slices.ContainsFunc(before, func(g float32) bool { return g != 0 }) {
			t.Errorf("%s: the replica adds to the original's gradients", name)
		}
		if x.backward(poly.Routing{}, poly.Prior{}) != loss || !slices.Equal(x.gradients(), replica.gradients()) {
			t.Errorf("%s: the replica has another loss or other gradients", name)
		}
		x.descend(1, 0.1)
		for i, p := range replica.Params() {
			if !slices.Equal(p.Value.Data, x.Params()[i].Value.Data) || p.Name != x.Params()[i].Name {
				t.Errorf("%s: %s: the replica has another value", name, p.Name)
			}
		}
	}
}

// Adapter is a copy of the moment, which is saved and opened again with the same bits.
func TestTrainerAdapter(t *testing.T) {
	m := newOwn(newEngine(t))
	from := m.fresh(t, func(c *poly.Config) { c.ModulesToSave = []string{"tokens", "norm"} })
	start := m.logits(t, from)
	x := m.train(t, from, nil)
	if !slices.Equal(m.logits(t, x.Adapter()), start) {
		t.Error("before training: other logits than of the adapter that it began with")
	}
	x.descend(10, 0.1)
	a := x.Adapter()
	want := m.logits(t, a)
	if slices.Equal(want, start) {
		t.Error("training changed nothing")
	}
	dir := t.TempDir()
	if err := a.Save(dir); err != nil {
		t.Fatal(err)
	}
	x.descend(10, 0.1)
	if !slices.Equal(m.logits(t, a), want) {
		t.Error("training changed an adapter that was taken before")
	}
	if !slices.Equal(m.logits(t, from), start) {
		t.Error("training changed the adapter that it began with")
	}
	opened, err := poly.Open(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.logits(t, opened), want) || len(opened.Strangers()) > 0 {
		t.Error("saved and opened: other logits")
	}
	// And training goes on from it with the same bits.
	x, y := m.train(t, a, nil), m.train(t, opened, nil)
	if x.backward(poly.Routing{}, poly.Prior{}) != y.backward(poly.Routing{}, poly.Prior{}) || !slices.Equal(x.gradients(), y.gradients()) {
		t.Error("saved and opened: other gradients")
	}
}

// The logits of a pass with a tape are those of the adapter that the trainer has come to, modules_to_save included.
func TestTrainerComputesTheAdapter(t *testing.T) {
	m := newOwn(newEngine(t))
	x := m.train(t, m.fresh(t, func(c *poly.Config) { c.ModulesToSave = []string{"tokens", "norm"} }), nil)
	x.descend(3, 0.1)
	a := x.Adapter()
	x.backward(poly.Routing{}, poly.Prior{})
	x.pass.ResetTraining(x.tape, len(ownTasks), x.Trained())
	got := x.forward(x.pass, ownRows, ownIDs)
	for i, want := range m.logits(t, a) {
		if math.Abs(float64(got.Data[i]-want)) > 1e-5 {
			t.Errorf("logit %d: got %v, want %v", i, got.Data[i], want)
		}
	}
}

// A layer whose output the loss does not depend on gets no gradient.
func TestTrainUnusedOutput(t *testing.T) {
	m := newOwn(newEngine(t))
	x := m.train(t, m.fresh(t, nil), nil)
	if err := x.Begin([]int{0}, poly.Routing{}); err != nil {
		t.Fatal(err)
	}
	x.pass.ResetTraining(x.tape, 1, x.Trained())
	rows, in := nn.Ragged{0, 1}, autodiff.Constant(mat.View([]float32{1, 2, 3, 4, 5, 6}, 1, 6))
	used := x.up.Forward(x.pass, rows, in)
	x.down.Forward(x.pass, rows, used)
	x.tape.Backward(x.tape.Total(used), 1)
	for _, p := range x.Params() {
		zero := !slices.ContainsFunc(p.Grad.Data, func(g float32) bool { return g != 0 })
		if zero != strings.Contains(p.Name, "net.down") {
			t.Errorf("%s: gradient %v", p.Name, p.Grad.Data)
		}
	}
}

// The vector of the padding token is not trained, and those that the batch does not have get no gradient.
func TestTrainEmbeddingWithPadding(t *testing.T) {
	m := newOwn(newEngine(t))
	x := m.train(t, m.fresh(t, func(c *poly.Config) { c.ModulesToSave = []string{"tokens"} }), nil)
	x.backward(poly.Routing{}, poly.Prior{})
	params := x.Params()
	table := params[len(params)-1]
	if table.Name != "base_model.model.tokens.weight" {
		t.Fatalf("got %s last", table.Name)
	}
	for id := range table.Grad.Rows {
		zero := !slices.ContainsFunc(table.Grad.Row(id), func(g float32) bool { return g != 0 })
		if used := id != 3 && slices.Contains(ownIDs, id); zero == used {
			t.Errorf("token %d: gradient %v", id, table.Grad.Row(id))
		}
	}
	x.descend(3, 0.1)
	w := x.Adapter()
	if slices.Equal(m.logits(t, w), m.logits(t, nil)) {
		t.Error("training changed nothing")
	}
}

// A step has the same bits on every level and with any number of threads.
func TestTrainSameBits(t *testing.T) {
	var want []float32
	for _, level := range mat.Levels() {
		for threads := 1; threads <= 2; threads++ {
			e, err := mat.NewEngine(mat.Options{Level: level, Threads: threads})
			if err != nil {
				t.Fatal(err)
			}
			m := newOwn(e)
			x := m.train(t, m.fresh(t, func(c *poly.Config) { c.ModulesToSave = []string{"tokens", "norm"} }), nil)
			x.descend(2, 0.1)
			routing := poly.Routing{Relaxation: poly.RelaxedBernoulli, Temperature: 0.5, Uniforms: poly.RandomUniforms(rand.NewPCG(1, 1))}
			loss := x.backward(routing, poly.Prior{IBP: 0.1, Entropy: 1, L1: 1})
			got := append(x.gradients(), loss)
			if want == nil {
				want = got
			}
			if !slices.EqualFunc(got, want, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) }) {
				t.Errorf("%s with %d threads: other bits than on the first engine", level, threads)
			}
			e.Close()
		}
	}
}

// A pass that follows Begin again has the draws of before.
func TestBeginDrawsOnce(t *testing.T) {
	m := newOwn(newEngine(t))
	x := m.train(t, m.fresh(t, nil), nil)
	routing := poly.Routing{Relaxation: poly.RelaxedBernoulli, Uniforms: poly.RandomUniforms(rand.NewPCG(1, 1))}
	first := x.backward(routing, poly.Prior{})
	x.pass.ResetTraining(x.tape, len(ownTasks), x.Trained())
	loss, err := x.tape.CrossEntropy(x.forward(x.pass, ownRows, ownIDs), ownLabels, nn.IgnoreIndex, 0)
	if err != nil {
		t.Fatal(err)
	}
	if loss.Data[0] != first {
		t.Errorf("got the loss %v, then %v", first, loss.Data[0])
	}
	if again := x.backward(routing, poly.Prior{}); again == first {
		t.Error("the same loss with other draws")
	}
}

// broken draws nothing.
type broken struct{}

func (broken) Draw(path string, u mat.Matrix) error { return errors.New("out of numbers") }

func TestBeginErrors(t *testing.T) {
	m := newOwn(newEngine(t))
	x := m.train(t, m.fresh(t, nil), nil)
	for _, c := range []struct {
		tasks   []int
		routing poly.Routing
		want    string
	}{
		{[]int{0, 3}, poly.Routing{}, "poly: sequence 1: poly: task id: got 3, want 0 ≤ id < 3 (n_tasks)"},
		{[]int{-1}, poly.Routing{}, "poly: sequence 0: poly: task id: got -1, want 0 ≤ id < 3 (n_tasks)"},
		{nil, poly.Routing{Temperature: -1}, "poly: routing: temperature: got -1, want > 0, or 0 for 1"},
		{nil, poly.Routing{Temperature: float32(math.NaN())}, "poly: routing: temperature: got NaN, want > 0, or 0 for 1"},
		{nil, poly.Routing{Relaxation: 7}, "poly: routing: relaxation: got 7, want Sigmoid, RelaxedBernoulli or StraightThrough"},
		{nil, poly.Routing{Relaxation: poly.RelaxedBernoulli}, "poly: routing: got no Uniforms, want a source of RelaxedBernoulli's draws"},
		{[]int{1}, poly.Routing{Relaxation: poly.RelaxedBernoulli, Uniforms: broken{}}, "poly: draws for net.up: out of numbers"},
	} {
		if err := x.Begin(c.tasks, c.routing); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
	var te *poly.TaskError
	if err := x.Begin([]int{5}, poly.Routing{}); !errors.As(err, &te) || te.ID != 5 {
		t.Errorf("got %v, want a TaskError", err)
	}
}

// A pass of another number of sequences than Begin was told is misuse.
func TestAddToPanics(t *testing.T) {
	m := newOwn(newEngine(t))
	x := m.train(t, m.fresh(t, nil), nil)
	if err := x.Begin([]int{1, 2}, poly.Routing{}); err != nil {
		t.Fatal(err)
	}
	x.pass.ResetTraining(x.tape, len(ownTasks), x.Trained())
	defer func() {
		if got := fmt.Sprint(recover()); got != "poly: net.up: a pass of 4 sequences after Begin with 2 tasks" {
			t.Errorf("panic %q", got)
		}
	}()
	x.forward(x.pass, ownRows, ownIDs)
}
