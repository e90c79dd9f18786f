package poly_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"maps"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/poly"
	"github.com/polytropon/polytropon/safetensors"
)

// The skills and all else stay, the routers are as Init's; what is saved opens again.
func TestNewTasks(t *testing.T) {
	e := newEngine(t)
	base, err := model.Open("../cmd/polybench/testdata/t5-mhr/base", e)
	if err != nil {
		t.Fatal(err)
	}
	a, err := poly.Open("../cmd/polybench/testdata/t5-mhr/adapter", base)
	if err != nil {
		t.Fatal(err)
	}
	before := slices.Clone(a.Layers()[0].Router.Logits)
	fresh, err := a.NewTasks(7, rand.NewPCG(3, 4))
	if err != nil {
		t.Fatal(err)
	}
	again, err := a.NewTasks(7, rand.NewPCG(3, 4))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := fresh.Save(dir); err != nil {
		t.Fatal(err)
	}
	opened, err := poly.Open(dir, base)
	if err != nil {
		t.Fatal(err)
	}
	if n := opened.Config().NTasks; n != 7 || fresh.Config().NTasks != 7 || a.Config().NTasks != 3 || len(opened.Strangers()) > 0 {
		t.Errorf("got %d and %d tasks, %d of the old adapter, strangers %q", n, fresh.Config().NTasks, a.Config().NTasks, opened.Strangers())
	}
	var all []float32
	for i, old := range a.Layers() {
		now := fresh.Layers()[i]
		if !slices.Equal(now.Bank.A, old.Bank.A) || !slices.Equal(now.Bank.B, old.Bank.B) || old.Router.Tasks != 3 {
			t.Errorf("%s: got other skills, or another router of the old adapter", old.Path)
		}
		for _, other := range []*poly.Layer{again.Layers()[i], opened.Layers()[i]} {
			if r := now.Router; r.Tasks != 7 || !slices.Equal(r.Logits, other.Router.Logits) || len(r.Logits) != 7*r.Splits*r.Skills {
				t.Errorf("%s: got router %+v and %+v", now.Path, r, other.Router)
			}
		}
		all = append(all, now.Router.Logits...)
	}
	uniform(t, "logits", all, 1e-3)
	if !slices.Equal(a.Layers()[0].Router.Logits, before) {
		t.Error("the old adapter has changed")
	}
	batch := func(a *poly.Adapter) []model.Sequence {
		return []model.Sequence{{InputIDs: []int{17, 3, 1}, DecoderInputIDs: []int{0, 5}, Adapters: []nn.Adapter{a.Task(6)}}}
	}
	x, err := base.Logits(context.Background(), batch(fresh))
	if err != nil {
		t.Fatal(err)
	}
	y, err := base.Logits(context.Background(), batch(opened))
	if err != nil || !slices.Equal(x.Data, y.Data) {
		t.Errorf("other logits once saved and opened: %v", err)
	}
	for _, n := range []int{0, -1, math.MaxInt32} {
		_, err := a.NewTasks(n, rand.NewPCG(3, 4))
		if e, ok := errors.AsType[*poly.ConfigError](err); !ok || !strings.HasPrefix(e.Field, "n_tasks") {
			t.Errorf("%d tasks: got %v, want a ConfigError", n, err)
		}
	}
}

// What an adapter saves besides its skills is the new one's too: modules_to_save, and the file's metadata.
func TestNewTasksKeepsTheRest(t *testing.T) {
	base, err := model.Open("../cmd/polybench/testdata/t5-mhr/base", newEngine(t))
	if err != nil {
		t.Fatal(err)
	}
	config := poly.NewConfig()
	config.TargetModules, config.ModulesToSave = poly.ModuleNames("q"), []string{"final_layer_norm"}
	a, err := poly.Init(config, base, rand.NewPCG(1, 2))
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := a.NewTasks(2, rand.NewPCG(3, 4))
	if err != nil {
		t.Fatal(err)
	}
	names := func(a *poly.Adapter) (names []string) {
		trainer, err := poly.NewTrainer(a, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range trainer.Params() {
			names = append(names, p.Name)
		}
		return names
	}
	if got, want := names(fresh), names(a); !slices.Equal(got, want) || !strings.Contains(strings.Join(got, " "), "final_layer_norm") {
		t.Errorf("got the parameters %q, want %q", got, want)
	}
	metadata := func(a *poly.Adapter) map[string]string {
		dir := t.TempDir()
		if err := a.Save(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := poly.Open(dir, base); err != nil { // the old one too has its own routers
			t.Error(err)
		}
		f, err := safetensors.Open(filepath.Join(dir, "adapter_model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		return f.Metadata()
	}
	if got, want := metadata(fresh), metadata(a); len(want) == 0 || !maps.Equal(got, want) {
		t.Errorf("got the metadata %q, want %q", got, want)
	}
}

// Few-shot adaptation to one new task, of nothing but the routers.
func ExampleAdapter_NewTasks() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	base, err := model.Open("../cmd/polybench/testdata/t5-mhr/base", e)
	if err != nil {
		log.Fatal(err)
	}
	trained, err := poly.Open("../cmd/polybench/testdata/t5-mhr/adapter", base)
	if err != nil {
		log.Fatal(err)
	}
	fresh, err := trained.NewTasks(1, rand.NewPCG(1, 2))
	if err != nil {
		log.Fatal(err)
	}
	trainer, err := poly.NewTrainer(fresh, func(key string) bool { return strings.HasSuffix(key, ".poly_router.module_logits") })
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range trainer.Params()[:2] {
		fmt.Println(p.Name, p.Shape)
	}
	fmt.Printf("%.2f\n", fresh.Layers()[0].Router.Weights(e, 0).Row(0))
	// Output:
	// base_model.model.encoder.block.0.layer.0.SelfAttention.q.poly_router.module_logits [1 8]
	// base_model.model.encoder.block.0.layer.0.SelfAttention.v.poly_router.module_logits [1 8]
	// [0.50 0.50]
}
