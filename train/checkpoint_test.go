package train_test

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/optim"
	"github.com/polytropon/polytropon/poly"
	"github.com/polytropon/polytropon/safetensors"
	"github.com/polytropon/polytropon/train"
)

// scripted is an objective whose evaluations find given losses, one after another.
type scripted struct {
	*lookup
	losses *[]float32
}

// Loss implements train.Objective.
func (s scripted) Loss(ctx context.Context, p *nn.Pass, b *train.Batch) (autodiff.Value, error) {
	if b.Training {
		return s.lookup.Loss(ctx, p, b)
	}
	loss := p.Tape.New(1, 1, false)
	loss.Data[0] = (*s.losses)[0]
	*s.losses = (*s.losses)[1:]
	return loss, nil
}

// TestLastAndBest checks which checkpoints are kept after each evaluation and each checkpoint.
func TestLastAndBest(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".writing", ".removing"} { // of a process that was killed
		if err := os.MkdirAll(filepath.Join(dir, name, "checkpoint-1"), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	losses := []float32{3, 5, 2, 2, 4}
	o := scripted{newLookup(10, 8, 10, 1), &losses}
	c := lookupConfig(testEngine(t, mat.Options{}), o)
	c.Workers, c.EvalSteps, c.SaveSteps, c.OutputDir, c.MaxSteps = 1, 2, 5, dir, 9
	c.Eval = train.Slice{{InputIDs: []int{1}, Labels: []int{1}}}
	var got [][]string
	c.OnStep = func(train.Progress) { got = append(got, entries(t, dir)) }
	var best []bool
	c.OnEvaluate = func(e train.Evaluation) { best = append(best, e.Best) }
	run(t, newLoop(t, c))
	got = append(got, entries(t, dir))
	want := [][]string{
		{".removing", ".writing"}, {".removing", ".writing"}, // before steps 1 and 2 are settled
		{"checkpoint-2"}, {"checkpoint-2"}, {"checkpoint-2"}, // evaluation 3 at step 2, 5 at step 4
		{"checkpoint-2", "checkpoint-5"},                     // saved at step 5
		{"checkpoint-6"}, {"checkpoint-6"}, {"checkpoint-6"}, // evaluation 2 at step 6, 2 again at step 8
		{"checkpoint-6", "checkpoint-9"}, // evaluation 4 after the last
	}
	for i := range want {
		if !slices.Equal(got[i], want[i]) {
			t.Errorf("after %d steps: got %v, want %v", i, got[i], want[i])
		}
	}
	if want := []bool{true, false, true, false, false}; !slices.Equal(best, want) {
		t.Errorf("got evaluations that are the best: %v, want %v", best, want)
	}
}

// TestLateEvaluation stops a run before the evaluation of its last step, which is found when it goes on, and becomes part of the checkpoint.
func TestLateEvaluation(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	c := lookupConfig(testEngine(t, mat.Options{}), newLookup(10, 8, 10, 1))
	c.Eval, c.OutputDir, c.MaxSteps = ragged(3), dir, 4
	c.OnStep = func(p train.Progress) {
		if p.Step == 4 {
			cancel()
		}
	}
	if err := newLoop(t, c).Run(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, err := train.BestCheckpoint(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v before an evaluation, want %v", err, fs.ErrNotExist)
	}
	c.Optimizer = newAdam(c.Objective, 0.1)
	l := newLoop(t, c)
	load(t, l, dir)
	run(t, l)
	if best, err := train.BestCheckpoint(dir); err != nil || filepath.Base(best) != "checkpoint-4" {
		t.Errorf("got %s, %v, want checkpoint-4", best, err)
	}
}

// TestOutputDir checks that a run does not mix its checkpoints with those of another.
func TestOutputDir(t *testing.T) {
	dir := t.TempDir()
	e := testEngine(t, mat.Options{})
	start := func(output, from string) error {
		c := lookupConfig(e, newLookup(10, 8, 10, 1))
		c.OutputDir, c.MaxSteps = output, 3
		l := newLoop(t, c)
		if from != "" {
			if err := l.Load(from); err != nil {
				t.Fatal(err)
			}
		}
		return l.Run(context.Background())
	}
	if err := start(dir, ""); err != nil {
		t.Fatal(err)
	}
	saved := filepath.Join(dir, "checkpoint-3")
	if err := start(dir, saved); err != nil {
		t.Errorf("going on: %v", err)
	}
	want := "train: OutputDir: got " + saved + ", which this run did not come from, want it loaded or another folder"
	if err := start(dir, ""); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	for _, other := range []string{filepath.Join(t.TempDir(), "a", "b"), t.TempDir()} {
		if err := start(other, saved); err != nil {
			t.Errorf("going on in another folder: %v", err)
		}
		if got := entries(t, other); !slices.Equal(got, []string{"checkpoint-3"}) {
			t.Errorf("got %v, want checkpoint-3", got)
		}
	}
	renamed := filepath.Join(dir, "renamed")
	if err := os.Rename(saved, renamed); err != nil {
		t.Fatal(err)
	}
	if err := start(dir, renamed); err != nil {
		t.Errorf("going on from a checkpoint of another name: %v", err)
	}
	if got := entries(t, dir); !slices.Equal(got, []string{"checkpoint-3", "renamed"}) {
		t.Errorf("got %v, want checkpoint-3 beside the one with another name", got)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := start(file, ""); err == nil {
		t.Error("got no error for a file as OutputDir")
	}
}

// full is a Saver that cannot save.
type full struct {
	*lookup
	err error
}

// Save implements train.Saver.
func (f *full) Save(dir string) error {
	return errors.Join(os.WriteFile(filepath.Join(dir, "half"), []byte("a"), 0o666), f.err)
}

// Load implements train.Saver.
func (f *full) Load(string) error { return f.err }

// TestSaveFails checks that a checkpoint that cannot be written leaves the last one alone.
func TestSaveFails(t *testing.T) {
	dir := t.TempDir()
	o := &full{lookup: newLookup(10, 8, 10, 1)}
	c := lookupConfig(testEngine(t, mat.Options{}), o)
	c.Workers, c.OutputDir, c.SaveSteps = 1, dir, 4
	c.OnStep = func(p train.Progress) {
		if p.Step == 5 {
			o.err = errors.New("the disk is full")
		}
	}
	l := newLoop(t, c)
	if err := l.Run(context.Background()); err == nil || err.Error() != "train: checkpoint of step 8: the disk is full" {
		t.Errorf("got %v, want that the disk is full", err)
	}
	if got := entries(t, dir); !slices.Equal(got, []string{"checkpoint-4"}) {
		t.Errorf("got %v, want checkpoint-4", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Run(ctx); !errors.Is(err, o.err) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v of a run that is stopped, want that it was, and %v", err, o.err)
	}
	if err := l.Load(filepath.Join(dir, "checkpoint-4")); !errors.Is(err, o.err) {
		t.Errorf("got %v, want %v", err, o.err)
	}
	o.err = nil
	run(t, l)
	if got := entries(t, dir); !slices.Equal(got, []string{"checkpoint-20"}) {
		t.Errorf("got %v, want checkpoint-20", got)
	}
}

// inTheWay is a Saver that has a folder where another file of the checkpoint is to be.
type inTheWay struct {
	*lookup
	name string
}

// Save implements train.Saver.
func (o inTheWay) Save(dir string) error {
	return os.MkdirAll(filepath.Join(dir, o.name, "folder"), 0o777)
}

// Load implements train.Saver.
func (o inTheWay) Load(string) error { return nil }

// TestFindCheckpoints checks that the last checkpoint is the one of the most steps, whatever else is in the folder, and what is wrong with the best.
func TestFindCheckpoints(t *testing.T) {
	dir := t.TempDir()
	if got, err := train.LastCheckpoint(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %s, %v of a folder that is not there", got, err)
	}
	folders := func(names ...string) {
		for _, name := range names {
			if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
				t.Fatal(err)
			}
		}
	}
	folders("checkpoint-011", "checkpoint-0", "checkpoint--5", "checkpoint-12b", "step-13", "14")
	if err := os.WriteFile(filepath.Join(dir, "checkpoint-15"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if got, err := train.LastCheckpoint(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %s, %v of a folder without checkpoints", got, err)
	}
	folders("checkpoint-9", "checkpoint-10")
	last := filepath.Join(dir, "checkpoint-10")
	if got, err := train.LastCheckpoint(dir); err != nil || got != last {
		t.Errorf("got %s, %v, want %s", got, err, last)
	}
	for _, test := range []struct {
		best string
		want error // nil: another
	}{
		{"", fs.ErrNotExist}, {"0", fs.ErrNotExist}, {"8", fs.ErrNotExist}, {"-1", nil},
	} {
		if test.best != "" {
			text := `{"step": 10, "epoch": 0, "example": 1, "tokens": 9, "evaluated": 10, "best_step": ` + test.best + `, "best_loss": 1}`
			if err := os.WriteFile(filepath.Join(last, "position.json"), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := train.BestCheckpoint(dir); got != "" || err == nil || test.want != nil && !errors.Is(err, test.want) {
			t.Errorf("best step %q: got %q, %v, want an error", test.best, got, err)
		}
	}
}

// TestNoPartOfACheckpoint checks that there is no checkpoint where one of its files cannot be written.
func TestNoPartOfACheckpoint(t *testing.T) {
	for _, name := range []string{"optimizer.safetensors", "position.json"} {
		c := lookupConfig(testEngine(t, mat.Options{}), inTheWay{newLookup(10, 8, 10, 1), name})
		c.Workers, c.OutputDir, c.MaxSteps = 1, t.TempDir(), 2
		if err := newLoop(t, c).Run(t.Context()); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want an error of %s", err, name)
		}
		if got := entries(t, c.OutputDir); len(got) != 0 {
			t.Errorf("%s: got %v, want nothing", name, got)
		}
	}
	c := lookupConfig(testEngine(t, mat.Options{}), newLookup(10, 8, 10, 1))
	c.OutputDir, c.MaxSteps = t.TempDir(), 2
	if err := os.WriteFile(filepath.Join(c.OutputDir, "checkpoint-2"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := newLoop(t, c).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "train: checkpoint of step 2: ") {
		t.Errorf("got %v where a file has the checkpoint's name, want an error", err)
	}
}

// TestBestSaveFails checks that the best checkpoint, where it cannot be written, is written when the run goes on.
func TestBestSaveFails(t *testing.T) {
	dir := t.TempDir()
	ctx, stop := context.WithCancel(context.Background())
	noSpace := errors.New("the disk is full")
	o := &full{newLookup(10, 8, 10, 1), noSpace}
	c := lookupConfig(testEngine(t, mat.Options{}), o)
	c.Workers, c.EvalSteps, c.OutputDir, c.Eval = 1, 2, dir, ragged(3)
	c.OnStep = func(p train.Progress) {
		if p.Step == 3 {
			stop()
		}
	}
	l := newLoop(t, c)
	if err := l.Run(ctx); !errors.Is(err, noSpace) || l.Position().Step != 2 {
		t.Fatalf("got %v after step %d, want %v after step 2", err, l.Position().Step, noSpace)
	}
	o.err = nil
	if err := l.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if got := entries(t, dir); !slices.Equal(got, []string{"checkpoint-2", "checkpoint-3"}) {
		t.Errorf("got %v, want the best, checkpoint-2, and checkpoint-3", got)
	}
}

// TestLoadErrors checks that a folder that is not a whole checkpoint of the run is an error that says why.
func TestLoadErrors(t *testing.T) {
	e := testEngine(t, mat.Options{})
	for _, c := range []struct {
		name, want string
		change     func(t *testing.T, dir string)
	}{
		{"no position", "position.json: no such file", func(t *testing.T, dir string) { remove(t, dir, "position.json") }},
		{"no parameters", "model.safetensors: no such file", func(t *testing.T, dir string) { remove(t, dir, "model.safetensors") }},
		{"no optimiser", "optimizer.safetensors: no such file", func(t *testing.T, dir string) { remove(t, dir, "optimizer.safetensors") }},
		{"position cut", "position.json: unexpected EOF", func(t *testing.T, dir string) { cut(t, dir, "position.json") }},
		{"parameters cut", "model.safetensors", func(t *testing.T, dir string) { cut(t, dir, "model.safetensors") }},
		{"optimiser cut", "optimizer.safetensors", func(t *testing.T, dir string) { cut(t, dir, "optimizer.safetensors") }},
		{"other parameter", `model.safetensors: tensor "weight": no such tensor`, func(t *testing.T, dir string) {
			change(t, filepath.Join(dir, "model.safetensors"), func(tensors []safetensors.Tensor) []safetensors.Tensor {
				tensors[1].Name = "weights"
				return tensors
			})
		}},
		{"more parameters", "model.safetensors: got 3 tensors, want 2", func(t *testing.T, dir string) {
			change(t, filepath.Join(dir, "model.safetensors"), func(tensors []safetensors.Tensor) []safetensors.Tensor {
				more := tensors[0]
				more.Name = "more"
				return append(tensors, more)
			})
		}},
		{"other type", "model.safetensors: tensor table: got F16 of shape [10 8], want F32 of shape [10 8]", func(t *testing.T, dir string) {
			change(t, filepath.Join(dir, "model.safetensors"), func(tensors []safetensors.Tensor) []safetensors.Tensor {
				half := &tensors[0]
				half.DType, half.Size, half.Data = safetensors.F16, half.Size/2, half.Data[:len(half.Data)/2]
				return tensors
			})
		}},
		{"other step", "optimizer.safetensors: got 3 steps, want 2 as in position.json", func(t *testing.T, dir string) {
			position := `{"step": 2, "epoch": 0, "example": 1, "tokens": 9, "evaluated": 0, "best_step": 0, "best_loss": 0}`
			if err := os.WriteFile(filepath.Join(dir, "position.json"), []byte(position), 0o666); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := lookupConfig(e, newLookup(10, 8, 10, 1))
			config.OutputDir, config.MaxSteps = t.TempDir(), 3
			run(t, newLoop(t, config))
			dir := filepath.Join(config.OutputDir, "checkpoint-3")
			c.change(t, dir)
			err := newLoop(t, lookupConfig(e, newLookup(10, 8, 10, 1))).Load(dir)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	t.Run("other model", func(t *testing.T) {
		config := lookupConfig(e, newLookup(10, 8, 10, 1))
		config.OutputDir, config.MaxSteps = t.TempDir(), 3
		run(t, newLoop(t, config))
		err := newLoop(t, lookupConfig(e, newLookup(10, 9, 10, 1))).Load(filepath.Join(config.OutputDir, "checkpoint-3"))
		if want := "model.safetensors: tensor table: got F32 of shape [10 8], want F32 of shape [10 9]"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	})
}

func remove(t *testing.T, dir, name string) {
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

// change writes a file anew with what f makes of its tensors, which are sorted by name.
func change(t *testing.T, path string, f func(tensors []safetensors.Tensor) []safetensors.Tensor) {
	file, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	var tensors []safetensors.Tensor
	for _, name := range file.Names() {
		x, err := file.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		tensors = append(tensors, x)
	}
	file.Close()
	if err := safetensors.WriteFile(path, f(tensors), nil); err != nil {
		t.Fatal(err)
	}
}

func cut(t *testing.T, dir, name string) {
	path := filepath.Join(dir, name)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, info.Size()/2); err != nil {
		t.Fatal(err)
	}
}

// TestPolyModelLoad checks that PolyModel.Load sets what is trained, all of it or nothing, and insists on the rest being the same.
func TestPolyModelLoad(t *testing.T) {
	_, from := adapterRun{}.loop(t)
	routers := func(key string) bool { return strings.HasSuffix(key, ".module_logits") }
	only := func(what func(string) bool) *train.PolyModel {
		trainer, err := poly.NewTrainer(from.Trainer.Adapter(), what)
		if err != nil {
			t.Fatal(err)
		}
		return &train.PolyModel{Base: from.Base, Trainer: trainer}
	}
	to, router := only(nil), only(routers)
	for _, p := range from.Params() {
		if routers(p.Name) {
			p.Value.Data[0] = 7
		}
	}
	dir := t.TempDir()
	if err := from.Save(dir); err != nil {
		t.Fatal(err)
	}
	for _, m := range []*train.PolyModel{to, router} {
		if err := m.Load(dir); err != nil {
			t.Fatal(err)
		}
		for _, p := range m.Params() {
			if routers(p.Name) && p.Value.Data[0] != 7 {
				t.Errorf("%s: got %v, want 7", p.Name, p.Value.Data[0])
			}
		}
	}
	last := from.Params()[0]
	last.Value.Data[0]++
	if err := from.Save(dir); err != nil {
		t.Fatal(err)
	}
	before := values(router)
	want := dir + ": tensor " + last.Name + ": got other values than the adapter has, want the same, as it is not trained"
	if err := router.Load(dir); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if !equalBits(values(router), before) {
		t.Error("a load that failed changed parameters")
	}
	before = values(to)
	for name, change := range map[string]func(c *poly.Config){
		"of another rank":       func(c *poly.Config) { c.R *= 2 },
		"of other modules":      func(c *poly.Config) { c.TargetModules = poly.ModuleNames("q", "k") },
		"of the first modules":  func(c *poly.Config) { c.TargetModules = poly.ModulePattern(`encoder.*\.(q|v)`) },
		"that cannot be opened": func(c *poly.Config) { c.TargetModules = poly.ModuleNames("none") },
	} {
		c := *to.Trainer.Adapter().Config()
		change(&c)
		dir := t.TempDir()
		if other, err := poly.Init(&c, to.Base, rand.NewPCG(1, 2)); err == nil {
			if err := other.Save(dir); err != nil {
				t.Fatal(err)
			}
		}
		if err := to.Load(dir); err == nil || !equalBits(values(to), before) {
			t.Errorf("an adapter %s: got %v, want an error and the parameters as they were", name, err)
		}
	}
}

// TestAdapterCheckpoint checks that a checkpoint of an adapter is a folder that opens as one, and computes what the trainer does.
func TestAdapterCheckpoint(t *testing.T) {
	dir := t.TempDir()
	l, m := adapterRun{new: func(g []optim.Group) (optim.Optimizer, error) { return optim.NewSGD(g, optim.SGDOptions{}) }, change: func(c *train.Config) {
		c.OutputDir, c.MaxSteps = dir, 2
	}}.loop(t)
	run(t, l)
	a, err := poly.Open(filepath.Join(dir, "checkpoint-2"), m.Base)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := poly.NewTrainer(a, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !equalBits(values(&train.PolyModel{Trainer: opened}), values(m)) {
		t.Error("got other values than were trained")
	}
}
