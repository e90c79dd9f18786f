package poly_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/poly"
	"github.com/polytropon/polytropon/safetensors"
)

const example = "../cmd/polybench/testdata/t5-mhr"

func newEngine(t testing.TB) *mat.Engine {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func openBase(t testing.TB, dir string) *model.Model {
	m, err := model.Open(dir, newEngine(t))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func openAdapter(t testing.TB, dir string, base *model.Model) *poly.Adapter {
	a, err := poly.Open(dir, base)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// adapterFolders returns all adapter folders that PEFT wrote, with the folder of their base.
func adapterFolders(t *testing.T) map[string]string {
	dirs := map[string]string{}
	for _, pattern := range []string{"testdata/peft-*/*/adapter", "testdata/peft-*/*/second", example + "/adapter", example + "/second"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: found %d, %v", pattern, len(found), err)
		}
		for _, dir := range found {
			dirs[dir] = filepath.Join(filepath.Dir(dir), "base")
		}
	}
	return dirs
}

// What Save writes is what PEFT wrote: the tensors byte for byte, but for those that belong to another adapter, and the config.
func TestSaveWritesWhatPEFTWrote(t *testing.T) {
	for dir, base := range adapterFolders(t) {
		t.Run(dir, func(t *testing.T) {
			m := openBase(t, base)
			a := openAdapter(t, dir, m)
			out := filepath.Join(t.TempDir(), "new", "folder")
			if err := a.Save(out); err != nil {
				t.Fatal(err)
			}
			want := withoutStrangers(t, dir+"/adapter_model.safetensors", a.Strangers())
			if got := read(t, out+"/adapter_model.safetensors"); !bytes.Equal(got, want) {
				t.Errorf("adapter_model.safetensors: got %d bytes, want PEFT's %d, the same", len(got), len(want))
			}
			if got, want := config(t, out), config(t, dir); !reflect.DeepEqual(got, want) {
				t.Errorf("adapter_config.json: got %v, want %v", got, want)
			}
			again := openAdapter(t, out, m)
			if len(again.Strangers()) > 0 || !reflect.DeepEqual(bits(again), bits(a)) {
				t.Error("the saved folder opens with other values")
			}
		})
	}
}

func read(t *testing.T, path string) []byte {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// withoutStrangers returns the file at path as the reference implementation would write it without the given tensors. Where there are none that is
// the file itself.
func withoutStrangers(t *testing.T, path string, strangers []string) []byte {
	if len(strangers) == 0 {
		return read(t, path)
	}
	f, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var own []safetensors.Tensor
	for _, name := range f.Names() {
		if slices.Contains(strangers, name) {
			continue
		}
		x, err := f.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		own = append(own, x)
	}
	var b bytes.Buffer
	if err := safetensors.Write(&b, own, f.Metadata()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// config reads an adapter_config.json, with sets in sorted order.
func config(t *testing.T, dir string) map[string]any {
	var c map[string]any
	if err := json.Unmarshal(read(t, dir+"/adapter_config.json"), &c); err != nil {
		t.Fatal(err)
	}
	for _, set := range []string{"target_modules", "exclude_modules"} {
		if items, ok := c[set].([]any); ok {
			slices.SortFunc(items, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
		}
	}
	return c
}

// bits returns an adapter's values by layer.
func bits(a *poly.Adapter) map[string][3][]float32 {
	m := map[string][3][]float32{}
	for _, l := range a.Layers() {
		m[l.Path] = [3][]float32{l.Bank.A, l.Bank.B, l.Router.Logits}
	}
	return m
}

// PEFT 0.8.2 writes the tensors of the other adapter too: they are told and not used.
func TestStrangers(t *testing.T) {
	m := openBase(t, "testdata/peft-0.8/t5-mhr/base")
	a := openAdapter(t, "testdata/peft-0.8/t5-mhr/adapter", m)
	s := a.Strangers()
	if len(s) != 36 || !strings.HasSuffix(s[0], ".poly_lora_A.second") {
		t.Errorf("got %d strangers, the first %s; want 36 of the adapter second", len(s), s[0])
	}
	if n := len(a.Layers()); n != 12 {
		t.Errorf("got %d layers, want 12", n)
	}
}

// PEFT's layer of known values: every tensor holds arange(n)·scale − 0.3, the input arange(24)/10 − 1; the examples have the tasks 1 and 0.
func TestLayerOfPEFT(t *testing.T) {
	ramp := func(n int, scale float64) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(float64(float32(i)*float32(scale)) - 0.3)
		}
		return x
	}
	l := poly.Layer{
		Bank:   poly.Bank{Splits: 2, Skills: 2, R: 2, In: 4, Out: 4, A: ramp(16, 0.04), B: ramp(16, 0.03)},
		Router: poly.Router{Tasks: 2, Splits: 2, Skills: 2, Logits: ramp(8, 0.5)},
	}
	weights := [][]float64{{0.436294049, 0.563705921, 0.465081036, 0.534919024}, {0.484329492, 0.515670538, 0.493727773, 0.506272256}}
	want := [][]float64{
		{0.474280119, -0.103747949, -0.670018613, -1.248046637, 0.114655577, -0.143288225, -0.388972282, -0.646916032, -0.244968966, -0.182828516, -0.107925855, -0.045785382},
		{-0.605778396, -0.223314673, 0.173647866, 0.556111693, -0.967372954, -0.264530510, 0.455039471, 1.157882094, -1.328967571, -0.305746347, 0.736431062, 1.759652257},
	}
	e := newEngine(t)
	base := mat.PackT(e, ramp(16, 0.05), 4, 4, 4)
	bias := ramp(4, 0.1)
	for i, task := range []int{1, 0} {
		for j, x := range l.Router.Weights(e, task).Data {
			if math.Abs(float64(x)-weights[task][j]) > 1e-7 {
				t.Errorf("task %d: weight %d: got %v, want %v", task, j, x, weights[task][j])
			}
		}
		a, b := l.Mixture(e, task)
		x := mat.New(3, 4)
		for j := range x.Data {
			x.Data[j] = float32(i*12+j)*0.1 - 1
		}
		y, h := mat.New(3, 4), mat.New(3, 2)
		e.Mul(y, x, base)
		e.MulMatrix(h, x, a)
		e.MulAddMatrix(y, h, b)
		for j, got := range y.Data {
			if got += bias[j%4]; math.Abs(float64(got)-want[i][j]) > 2e-6 {
				t.Errorf("example %d, element %d: got %v, want %v", i, j, got, want[i][j])
			}
		}
	}
}

func TestTaskOutOfRange(t *testing.T) {
	m := openBase(t, example+"/base")
	a := openAdapter(t, example+"/adapter", m)
	for _, id := range []int{-1, 3, 1 << 40} {
		batch := []model.Sequence{
			{InputIDs: []int{5}, DecoderInputIDs: []int{0}, Adapters: []nn.Adapter{a.Task(0)}},
			{InputIDs: []int{5}, DecoderInputIDs: []int{0}, Adapters: []nn.Adapter{a.Task(id)}},
		}
		_, err := m.Logits(t.Context(), batch)
		var te *poly.TaskError
		if !errors.As(err, &te) || te.ID != id || te.Tasks != 3 || !strings.Contains(err.Error(), "sequence 1") {
			t.Errorf("task %d: got %v", id, err)
		}
	}
}

// Many goroutines use one adapter at the same time, also at its first use, and all get the same bits.
func TestConcurrentUse(t *testing.T) {
	m := openBase(t, example+"/base")
	a := openAdapter(t, example+"/adapter", m)
	logits := make([][]float32, 8)
	var wg sync.WaitGroup
	for i := range logits {
		wg.Go(func() {
			batch := []model.Sequence{{InputIDs: []int{5, 6, 7}, DecoderInputIDs: []int{0, 9}, Adapters: []nn.Adapter{a.Task(1)}}}
			l, err := m.Logits(t.Context(), batch)
			if err != nil {
				t.Error(err)
			}
			logits[i] = l.Data
		})
	}
	wg.Wait()
	for _, l := range logits[1:] {
		if !slices.Equal(l, logits[0]) {
			t.Fatal("two goroutines got other bits")
		}
	}
}

// Two adapters that both have a copy of a module cannot be summed, as in PEFT.
func TestTwoCopiesOfAModule(t *testing.T) {
	const dir = "testdata/peft-0.8/bf16-two-mts"
	m := openBase(t, dir+"/base")
	a, b := openAdapter(t, dir+"/adapter", m), openAdapter(t, dir+"/second", m)
	batch := []model.Sequence{{InputIDs: []int{5}, DecoderInputIDs: []int{0}, Adapters: []nn.Adapter{a.Task(0), b.Task(0)}}}
	if _, err := m.Logits(t.Context(), batch); err == nil || !strings.Contains(err.Error(), "modules_to_save") {
		t.Errorf("got %v", err)
	}
}

// folder is an adapter folder in memory.
func folder(t *testing.T, dir string) fstest.MapFS {
	return fstest.MapFS{
		"adapter_config.json":       {Data: read(t, dir+"/adapter_config.json")},
		"adapter_model.safetensors": {Data: read(t, dir+"/adapter_model.safetensors")},
	}
}

// edit returns the tensors of a folder after change.
func edit(t *testing.T, f fstest.MapFS, change func(tensors map[string]safetensors.Tensor)) {
	file, err := safetensors.OpenFS(f, "adapter_model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	tensors := map[string]safetensors.Tensor{}
	for _, name := range file.Names() {
		if tensors[name], err = file.Tensor(name); err != nil {
			t.Fatal(err)
		}
	}
	change(tensors)
	var list []safetensors.Tensor
	for name, x := range tensors {
		x.Name = name
		list = append(list, x)
	}
	var b bytes.Buffer
	if err := safetensors.Write(&b, list, file.Metadata()); err != nil {
		t.Fatal(err)
	}
	f["adapter_model.safetensors"] = &fstest.MapFile{Data: b.Bytes()}
}

func TestOpenErrors(t *testing.T) {
	m := openBase(t, example+"/base")
	const a = "base_model.model.encoder.block.1.layer.0.SelfAttention.v.poly_lora_A"
	set := func(old, new string) func(t *testing.T, f fstest.MapFS) {
		return func(t *testing.T, f fstest.MapFS) {
			text := strings.Replace(string(f["adapter_config.json"].Data), old, new, 1)
			f["adapter_config.json"] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	for _, test := range []struct {
		name   string
		change func(t *testing.T, f fstest.MapFS)
		want   []string
	}{
		{"no config", func(t *testing.T, f fstest.MapFS) { delete(f, "adapter_config.json") }, []string{"adapter_config.json"}},
		{"no tensors", func(t *testing.T, f fstest.MapFS) { delete(f, "adapter_model.safetensors") }, []string{"adapter_model.safetensors"}},
		{"pickle", func(t *testing.T, f fstest.MapFS) {
			f["adapter_model.bin"] = f["adapter_model.safetensors"]
			delete(f, "adapter_model.safetensors")
		}, []string{"adapter_model.bin", "safetensors"}},
		{"a missing tensor", func(t *testing.T, f fstest.MapFS) {
			edit(t, f, func(x map[string]safetensors.Tensor) { delete(x, a) })
		}, []string{a, "missing", "[4 2 16 4]"}},
		{"another shape", func(t *testing.T, f fstest.MapFS) {
			edit(t, f, func(x map[string]safetensors.Tensor) {
				v := x[a]
				v.Shape = []int{4, 2, 4, 16}
				x[a] = v
			})
		}, []string{a, "[4 2 4 16]", "[4 2 16 4]"}},
		{"integers", func(t *testing.T, f fstest.MapFS) {
			edit(t, f, func(x map[string]safetensors.Tensor) {
				v := x[a]
				v.DType = safetensors.I32
				x[a] = v
			})
		}, []string{a, "I32"}},
		{"rank", set(`"r": 4`, `"r": 8`), []string{"poly_lora_A", "[4 2 16 4]", "[4 2 16 8]"}},
		{"tasks", set(`"n_tasks": 3`, `"n_tasks": 4`), []string{"module_logits", "[3 8]", "[4 8]"}},
		{"no rank", set(`"r": 4`, `"r": 0`), []string{"r", "0"}},
		{"splits that do not divide", set(`"n_splits": 4`, `"n_splits": 5`), []string{"n_splits", "5", "64"}},
		{"unknown targets", set(`"q"`, `"query"`), []string{}},
		{"no target", set(`"q",`, ``), []string{}},
		{"nothing matches", func(t *testing.T, f fstest.MapFS) {
			set(`"q"`, `"query"`)(t, f)
			set(`"v"`, `"value"`)(t, f)
		}, []string{"target_modules", "query", "value"}},
		{"a norm", set(`"q"`, `"layer_norm"`), []string{"target_modules", "layer_norm", "Linear"}},
		{"look-ahead", func(t *testing.T, f fstest.MapFS) {
			text := string(f["adapter_config.json"].Data)
			from, to := strings.Index(text, "["), strings.Index(text, "]")
			text = text[:from] + `"(?!decoder).*q"` + text[to+1:]
			f["adapter_config.json"] = &fstest.MapFile{Data: []byte(text)}
		}, []string{"target_modules", "look-ahead"}},
		{"LoRA", set(`"POLY"`, `"LORA"`), []string{"peft_type", "LORA"}},
		{"another poly_type", set(`"poly"`, `"moe"`), []string{"poly_type", "moe"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := folder(t, example+"/adapter")
			test.change(t, f)
			_, err := poly.OpenFS(f, m)
			if len(test.want) == 0 { // fewer targets: the other tensors belong to nobody
				if err != nil {
					t.Errorf("got %v, want no error", err)
				}
				return
			}
			if err == nil || strings.Contains(err.Error(), "\n") {
				t.Fatalf("got %v, want one line", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want it to name %q", err, want)
				}
			}
		})
	}
}

func TestSaveToAFile(t *testing.T) {
	m := openBase(t, example+"/base")
	a := openAdapter(t, example+"/adapter", m)
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := a.Save(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

func TestModel(t *testing.T) {
	m := poly.NewModel(openBase(t, example+"/base"))
	first, err := m.Load("first", example+"/adapter")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Load("second", example+"/second"); err != nil {
		t.Fatal(err)
	}
	if got := m.Names(); !slices.Equal(got, []string{"first", "second"}) {
		t.Errorf("names: got %q", got)
	}
	if a, err := m.Adapter("first"); err != nil || a != first {
		t.Errorf("first: got %v, %v", a, err)
	}
	if a, err := m.Load("first", example+"/adapter"); err != nil || a == first {
		t.Errorf("a swap: got %v, %v", a, err)
	}
	m.Delete("second")
	m.Delete("third")
	if _, err := m.Adapter("second"); err == nil || !strings.Contains(err.Error(), `"second"`) || !strings.Contains(err.Error(), `"first"`) {
		t.Errorf("second: got %v", err)
	}
	for _, name := range []string{"", "a.b"} {
		if _, err := m.Load(name, example+"/adapter"); err == nil {
			t.Errorf("name %q: got no error", name)
		}
	}
	if _, err := m.Load("x", "testdata/none"); !errors.Is(err, fs.ErrNotExist) || !slices.Equal(m.Names(), []string{"first"}) {
		t.Errorf("a folder that is not there: got %v, names %q", err, m.Names())
	}
}

func TestInspectErrors(t *testing.T) {
	for _, test := range []struct {
		name, want string
		change     func(x map[string]safetensors.Tensor)
	}{
		{"no B", "poly_lora_B is missing", func(x map[string]safetensors.Tensor) {
			delete(x, "base_model.model.encoder.block.1.layer.0.SelfAttention.v.poly_lora_B")
		}},
		{"no A", "want at least one", func(x map[string]safetensors.Tensor) {
			for name := range x {
				if strings.HasSuffix(name, "poly_lora_A") {
					delete(x, name)
				}
			}
		}},
		{"another shape", "want [4 2 any 4]", func(x map[string]safetensors.Tensor) {
			for name, v := range x {
				if strings.HasSuffix(name, "poly_lora_A") {
					v.Shape = []int{2, 4, 16, 4}
					x[name] = v
				}
			}
		}},
	} {
		f := folder(t, example+"/adapter")
		edit(t, f, test.change)
		if _, err := poly.Inspect(f); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
	}
}
