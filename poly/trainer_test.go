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
		{nil, poly.Routing{Relaxation: -1}, "poly: routing: relaxation: got -1, want Sigmoid, RelaxedBernoulli or StraightThrough"},
		{nil, poly.Routing{Relaxation: 7}, "poly: routing: relaxation: got 7, want Sigmoid, RelaxedBernoulli or StraightThrough"},
		{nil, poly.Routing{Relaxation: poly.RelaxedBernoulli}, "poly: routing: got no Uniforms, want a source of RelaxedBernoulli's draws"},
		{[]int{1}, poly.Routing{Relaxation: poly.RelaxedBernoulli, Uniforms: broken{}}, "poly: draws for net.up: out of numbers"},
	} {
		if err := x.Begin(c.tasks, c.routing); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
	for _, r := range []poly.Relaxation{poly.Sigmoid, poly.StraightThrough} {
		if err := x.Begin([]int{0, 2}, poly.Routing{Relaxation: r}); err != nil {
			t.Errorf("relaxation %d without draws: got %v", r, err)
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
