package poly_test

import (
	"fmt"
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

// The values are uniform between PEFT's bounds, which depend on the shapes: A's on the features of a split, B's on the rank.
func TestInitDistributions(t *testing.T) {
	e := newEngine(t)
	base := &two{engine: e}
	base.layers[0] = nn.NewLinear(e, nn.Weights{F32: make([]float32, 256*512)}, 512, 256)
	base.layers[1] = nn.NewLinear(e, nn.Weights{F32: make([]float32, 512*64)}, 64, 512)
	for _, c := range []struct {
		splits, r    int
		initialised  bool
		boundA       [2]float64
		boundB       float64
		tasks, skill int
	}{
		{1, 4, true, [2]float64{1. / 16, 1 / math.Sqrt(512)}, 0, 50, 8},
		{4, 4, false, [2]float64{1. / 8, 1 / math.Sqrt(128)}, 1. / 2, 50, 4},
		{16, 9, false, [2]float64{1. / 4, 1 / math.Sqrt(32)}, 1. / 3, 20, 4},
	} {
		config := poly.NewConfig()
		config.R, config.NSplits, config.NSkills, config.NTasks, config.InitWeights = c.r, c.splits, c.skill, c.tasks, c.initialised
		config.TargetModules = poly.ModuleNames("0", "1")
		a, err := poly.Init(config, base, rand.NewPCG(1, 2))
		if err != nil {
			t.Fatal(err)
		}
		for i, l := range a.Layers() {
			uniform(t, fmt.Sprintf("%d splits: A of layer %d", c.splits, i), l.Bank.A, c.boundA[i])
			uniform(t, fmt.Sprintf("%d splits: B of layer %d", c.splits, i), l.Bank.B, c.boundB)
			uniform(t, fmt.Sprintf("%d splits: logits of layer %d", c.splits, i), l.Router.Logits, 1e-3)
		}
	}
}

// uniform checks that x looks like draws from the uniform distribution between ±bound: none outside, some near both ends, and moments within five
// standard deviations.
func uniform(t *testing.T, name string, x []float32, bound float64) {
	t.Helper()
	n := float64(len(x))
	var mean, square float64
	for _, v := range x {
		mean += float64(v) / n
		square += float64(v) * float64(v) / n
	}
	if bound == 0 {
		if square != 0 {
			t.Errorf("%s: want zeros", name)
		}
		return
	}
	low, high := float64(slices.Min(x)), float64(slices.Max(x))
	if limit := float64(float32(bound)); low < -limit || high > limit || low > -bound*(1-20/n) || high < bound*(1-20/n) {
		t.Errorf("%s: got %v … %v, want ±%v", name, low, high, bound)
	}
	if off := math.Abs(mean) / (bound / math.Sqrt(3*n)); off > 5 {
		t.Errorf("%s: mean %v, %.1f standard deviations off 0", name, mean, off)
	}
	if off := math.Abs(square-bound*bound/3) / (bound * bound * math.Sqrt(4/45./n)); off > 5 {
		t.Errorf("%s: mean square %v, want %v: %.1f standard deviations off", name, square, bound*bound/3, off)
	}
	var neighbours float64
	for i := range len(x) - 1 {
		neighbours += float64(x[i]) * float64(x[i+1]) / n
	}
	if off := math.Abs(neighbours) / (bound * bound / 3 / math.Sqrt(n)); off > 5 {
		t.Errorf("%s: neighbours are correlated by %v", name, neighbours/(bound*bound/3))
	}
}

// The same seed gives the same bits, and the draws come in the order that is documented.
func TestInitDraws(t *testing.T) {
	m := newOwn(newEngine(t))
	for _, fresh := range []bool{true, false} {
		change := func(c *poly.Config) { c.InitWeights = fresh }
		a, b := m.fresh(t, change), m.fresh(t, change)
		source := rand.NewPCG(3, 4)
		draw := func(n int, bound float64) []float32 {
			x := make([]float32, n)
			for i := range x {
				x[i] = float32((float64(source.Uint64()>>40)*0x1p-23 - 1) * bound)
			}
			return x
		}
		for i, l := range a.Layers() {
			if !slices.Equal(l.Bank.A, draw(len(l.Bank.A), 1/math.Sqrt(float64(l.Bank.In/2)))) ||
				!fresh && !slices.Equal(l.Bank.B, draw(len(l.Bank.B), 1/math.Sqrt(2))) ||
				!slices.Equal(l.Router.Logits, draw(len(l.Router.Logits), 1e-3)) {
				t.Errorf("%s (init_weights %t): other draws", l.Path, fresh)
			}
			o := b.Layers()[i]
			if !slices.Equal(l.Bank.A, o.Bank.A) || !slices.Equal(l.Bank.B, o.Bank.B) || !slices.Equal(l.Router.Logits, o.Router.Logits) {
				t.Errorf("%s (init_weights %t): the same seed gives something else", l.Path, fresh)
			}
		}
	}
}

// A fresh adapter changes no bit of what the base computes, and is saved and opened again with the same bits; with modules_to_save it has the
// base's values in their type.
func TestInitIsANoOp(t *testing.T) {
	for _, c := range []struct {
		dir   string
		saved []string
		dtype safetensors.DType
	}{
		{example, nil, 0},
		{example, []string{"lm_head", "final_layer_norm"}, safetensors.F32},
		{"testdata/peft-0.21/t5-bf16", []string{"lm_head", "shared"}, safetensors.BF16},
		{"testdata/peft-0.21/mts-lm_head-tied", []string{"embed_tokens", "relative_attention_bias"}, safetensors.F32},
	} {
		t.Run(fmt.Sprint(c.dir, c.saved), func(t *testing.T) {
			base := openBase(t, c.dir+"/base")
			config := poly.NewConfig()
			config.NTasks, config.NSplits, config.ModulesToSave = 3, 2, c.saved
			a, err := poly.Init(config, base, rand.NewPCG(1, 2))
			if err != nil {
				t.Fatal(err)
			}
			logits := func(adapters ...nn.Adapter) []float32 {
				s := model.Sequence{InputIDs: []int{5, 6, 7}, DecoderInputIDs: []int{0, 9}, Adapters: adapters}
				l, err := base.Logits(t.Context(), []model.Sequence{s})
				if err != nil {
					t.Fatal(err)
				}
				return l.Data
			}
			want := logits()
			for task := range 3 {
				if !slices.Equal(logits(a.Task(task)), want) {
					t.Errorf("task %d: other logits than the base", task)
				}
			}
			dir := t.TempDir()
			if err := a.Save(dir); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(logits(openAdapter(t, dir, base).Task(1)), want) {
				t.Error("saved and opened: other logits than the base")
			}
			f, err := safetensors.Open(filepath.Join(dir, "adapter_model.safetensors"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			for _, name := range f.Names() {
				info, _ := f.Info(name)
				if !strings.Contains(name, "poly_") && !strings.Contains(name, "norm") && !strings.Contains(name, "bias") && info.DType != c.dtype {
					t.Errorf("%s: got %v, want %v", name, info.DType, c.dtype)
				}
				if strings.Contains(name, "poly_") && info.DType != safetensors.F32 {
					t.Errorf("%s: got %v, want F32", name, info.DType)
				}
			}
			// Trained, it starts from the base too.
			trainer, err := poly.NewTrainer(a, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(logits(trainer.Adapter().Task(2)), want) {
				t.Error("of a trainer: other logits than the base")
			}
		})
	}
}

// Init's config is what PEFT saves: the targets are resolved.
func TestInitConfig(t *testing.T) {
	m := newOwn(newEngine(t))
	config := poly.NewConfig()
	config.TargetModules = poly.ModulePattern("all-linear")
	a, err := poly.Init(config, m, rand.NewPCG(1, 2))
	if err != nil {
		t.Fatal(err)
	}
	if got := a.Config().TargetModules.Names(); !slices.Equal(got, []string{"net.up"}) {
		t.Errorf("all-linear: got %q", got)
	}
	if p, ok := config.TargetModules.Pattern(); !ok || p != "all-linear" {
		t.Errorf("the caller's config was changed to %v", config.TargetModules)
	}
	base := openBase(t, example+"/base")
	if a, err = poly.Init(poly.NewConfig(), base, rand.NewPCG(1, 2)); err != nil {
		t.Fatal(err)
	}
	if got := a.Config().TargetModules.Names(); !slices.Equal(got, []string{"q", "v"}) {
		t.Errorf("default: got %q", got)
	}
}

func TestInitErrors(t *testing.T) {
	m := newOwn(newEngine(t))
	for _, c := range []struct {
		change func(c *poly.Config)
		want   string
	}{
		{func(c *poly.Config) { c.R = 0 }, "poly: config: r: got 0, want a positive integer"},
		{func(c *poly.Config) { c.NSplits = 4 }, "poly: config: n_splits: got 4, want a divisor of the in_features of net.up, 6"},
		{func(c *poly.Config) { c.TargetModules = poly.Modules{} }, `poly: config: target_modules: got null, want names or a pattern: model type "custom" has no default`},
		{func(c *poly.Config) { c.TargetModules = poly.ModuleNames("norm") }, "poly: config: target_modules: got"},
	} {
		config := poly.NewConfig()
		config.TargetModules = poly.ModuleNames("up")
		c.change(config)
		if _, err := poly.Init(config, m, rand.NewPCG(1, 2)); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
	config := poly.NewConfig()
	config.ModulesToSave = []string{"block"}
	want := `poly: config: modules_to_save: got ["block"], which match "encoder.block" of type ModuleList, want modules with a forward pass`
	if _, err := poly.Init(config, openBase(t, example+"/base"), rand.NewPCG(1, 2)); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// The draws are the same on every level.
func TestInitSameBits(t *testing.T) {
	var want []float32
	for _, level := range mat.Levels() {
		e, err := mat.NewEngine(mat.Options{Level: level})
		if err != nil {
			t.Fatal(err)
		}
		var got []float32
		for _, l := range newOwn(e).fresh(t, nil).Layers() {
			got = slices.Concat(got, l.Bank.A, l.Bank.B, l.Router.Logits)
		}
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: other values", level)
		}
		e.Close()
	}
}
