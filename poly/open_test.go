package poly_test

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/poly"
	"github.com/polytropon/polytropon/safetensors"
)

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

// set returns a change of a folder: of one place in its config.
func set(old, new string) func(t *testing.T, f fstest.MapFS) {
	return func(t *testing.T, f fstest.MapFS) {
		text := string(f["adapter_config.json"].Data)
		if !strings.Contains(text, old) {
			t.Fatalf("%s has no %s", text, old)
		}
		f["adapter_config.json"] = &fstest.MapFile{Data: []byte(strings.Replace(text, old, new, 1))}
	}
}

// With fewer targets than there are tensors for, the others belong to nobody.
func TestFewerTargets(t *testing.T) {
	m := openBase(t, example+"/base")
	for _, change := range []func(t *testing.T, f fstest.MapFS){set(`"q"`, `"query"`), set(`"q",`, ``)} {
		f := folder(t, example+"/adapter")
		change(t, f)
		a, err := poly.OpenFS(f, m)
		if err != nil {
			t.Fatal(err)
		}
		if s := a.Strangers(); len(s) != 18 || len(a.Layers()) != 6 || !strings.Contains(s[0], ".q.") {
			t.Errorf("got %d layers, %d strangers, want 6 and the 18 of q", len(a.Layers()), len(s))
		}
	}
}

func TestOpenErrors(t *testing.T) {
	m := openBase(t, example+"/base")
	const a = "base_model.model.encoder.block.1.layer.0.SelfAttention.v.poly_lora_A"
	const head = "base_model.model.lm_head.weight"
	saveHead := func(change func(v *safetensors.Tensor)) func(t *testing.T, f fstest.MapFS) {
		return func(t *testing.T, f fstest.MapFS) {
			set(`"modules_to_save": null`, `"modules_to_save": ["lm_head"]`)(t, f)
			edit(t, f, func(x map[string]safetensors.Tensor) {
				v := safetensors.Tensor{Info: safetensors.Info{DType: safetensors.F32, Shape: []int{256, 64}}, Data: make([]byte, 4*256*64)}
				change(&v)
				x[head] = v
			})
		}
	}
	for _, test := range []struct {
		name   string
		change func(t *testing.T, f fstest.MapFS)
		want   []string
	}{
		{"no config", func(t *testing.T, f fstest.MapFS) { delete(f, "adapter_config.json") }, []string{"adapter_config.json"}},
		{"an endless config", func(t *testing.T, f fstest.MapFS) {
			f["adapter_config.json"] = &fstest.MapFile{Data: bytes.Repeat([]byte(" "), 1<<22+1)}
		}, []string{"adapter_config.json", "more than 4194304 bytes"}},
		{"a pipe as config", func(t *testing.T, f fstest.MapFS) { f["adapter_config.json"].Mode = fs.ModeNamedPipe },
			[]string{"adapter_config.json: not a regular file, its mode is p"}},
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
		{"cut off", func(t *testing.T, f fstest.MapFS) {
			x := f["adapter_model.safetensors"]
			x.Data = x.Data[:len(x.Data)-1]
		}, []string{"adapter_model.safetensors"}},
		{"an empty file", func(t *testing.T, f fstest.MapFS) { f["adapter_model.safetensors"].Data = nil }, []string{"adapter_model.safetensors"}},
		{"no router", func(t *testing.T, f fstest.MapFS) {
			edit(t, f, func(x map[string]safetensors.Tensor) {
				delete(x, "base_model.model.decoder.block.0.layer.1.EncDecAttention.q.poly_router.module_logits")
			})
		}, []string{"decoder.block.0.layer.1.EncDecAttention.q.poly_router.module_logits is missing, want shape [3 8]"}},
		{"a saved module without tensor", set(`"modules_to_save": null`, `"modules_to_save": ["lm_head"]`),
			[]string{head + " is missing, want shape [256 64]"}},
		{"a saved module of another shape", saveHead(func(v *safetensors.Tensor) { v.Shape = []int{64, 256} }),
			[]string{head + ": got shape [64 256], want [256 64]"}},
		{"a saved module of integers", saveHead(func(v *safetensors.Tensor) { v.DType = safetensors.I32 }),
			[]string{head + ": got dtype I32, want F32, BF16, F16 or F64"}},
		{"rank", set(`"r": 4`, `"r": 8`), []string{"poly_lora_A", "[4 2 16 4]", "[4 2 16 8]"}},
		{"tasks", set(`"n_tasks": 3`, `"n_tasks": 4`), []string{"module_logits", "[3 8]", "[4 8]"}},
		{"skills", set(`"n_skills": 2`, `"n_skills": 3`), []string{"poly_lora_A", "[4 2 16 4]", "[4 3 16 4]"}},
		{"splits", set(`"n_splits": 4`, `"n_splits": 2`), []string{"poly_lora_A", "[4 2 16 4]", "[2 2 32 4]"}},
		{"no rank", set(`"r": 4`, `"r": 0`), []string{"r", "0"}},
		{"splits that do not divide", set(`"n_splits": 4`, `"n_splits": 5`), []string{"n_splits", "5", "64"}},
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

// Where the head is a target, PEFT saves the head's own weight too: it is used in the base's place, by sequences that ask for the adapter.
func TestHeadAsTarget(t *testing.T) {
	const dir = "testdata/peft-0.21/target-lm_head-tied"
	const layer = "base_model.model.lm_head"
	m := openBase(t, dir+"/base")
	logits := func(f fstest.MapFS) (adapted, bare []float32) {
		a, err := poly.OpenFS(f, m)
		if err != nil {
			t.Fatal(err)
		}
		if s := a.Strangers(); len(s) > 0 {
			t.Errorf("strangers %q, want none", s)
		}
		s := model.Sequence{InputIDs: []int{5, 6}, DecoderInputIDs: []int{0, 7}}
		with := s
		with.Adapters = []nn.Adapter{a.Task(1)}
		l, err := m.Logits(t.Context(), []model.Sequence{with, s})
		if err != nil {
			t.Fatal(err)
		}
		return l.Of(0).Data, l.Of(1).Data
	}
	f := folder(t, dir+"/adapter")
	want, bare := logits(f)
	without := folder(t, dir+"/adapter")
	edit(t, without, func(x map[string]safetensors.Tensor) { delete(x, layer+".base_layer.weight") })
	if got, _ := logits(without); !slices.Equal(got, want) {
		t.Error("without the head's weight, which is the base's: other logits")
	}
	// The copy is the base's, so that two adapters of the head can be added.
	a, err := poly.OpenFS(f, m)
	if err != nil {
		t.Fatal(err)
	}
	both := []nn.Adapter{a.Task(0), a.Task(1)}
	if _, err := m.Logits(t.Context(), []model.Sequence{{InputIDs: []int{1}, DecoderInputIDs: []int{0}, Adapters: both}}); err != nil {
		t.Errorf("two adapters of the head: %v", err)
	}
	edit(t, f, func(x map[string]safetensors.Tensor) {
		clear(x[layer+".base_layer.weight"].Data)
		clear(x[layer+".poly_lora_B"].Data)
	})
	zero, bareNow := logits(f)
	if slices.ContainsFunc(zero, func(x float32) bool { return x != 0 }) {
		t.Errorf("a head of zeros: got logits %v", zero)
	}
	if !slices.Equal(bareNow, bare) {
		t.Error("the bare base has other logits")
	}
	edit(t, f, func(x map[string]safetensors.Tensor) {
		x[layer+".base_layer.weight"] = x["base_model.model.encoder.block.0.layer.0.SelfAttention.q.poly_lora_A"]
	})
	if _, err := poly.OpenFS(f, m); err == nil || !strings.Contains(err.Error(), layer+".base_layer.weight: got shape [2 2 16 2], want [96 32]") {
		t.Errorf("another shape: got %v", err)
	}
}

// An embedding that PEFT saved with the adapter (save_embedding_layers) is used in place of the base's; where it was resized the base must be too. That it
// gives PEFT's numbers polybench verifies.
func TestSavedEmbedding(t *testing.T) {
	const dir = "testdata/peft-0.21/embeddings"
	m := openBase(t, dir+"/base")
	f := folder(t, dir+"/adapter")
	a, err := poly.OpenFS(f, m)
	if err != nil {
		t.Fatal(err)
	}
	if s := a.Strangers(); len(s) > 0 {
		t.Errorf("strangers %q, want none", s)
	}
	sum := func(a *poly.Adapter) error {
		both := []nn.Adapter{a.Task(0), a.Task(1)}
		_, err := m.Logits(t.Context(), []model.Sequence{{InputIDs: []int{1}, DecoderInputIDs: []int{0}, Adapters: both}})
		return err
	}
	if err := sum(a); err == nil {
		t.Error("two adapters with an embedding each: got no error")
	}
	folder, err := poly.Inspect(f)
	if err != nil {
		t.Fatal(err)
	}
	if b := folder.Base; len(b) != 2 || b[0].Name != "base_model.model.lm_head.weight" || b[1].Name != "base_model.model.shared.weight" {
		t.Errorf("Inspect: got %v of the base model, want its head and its embedding", b)
	}
	base, err := safetensors.Open(dir + "/base/model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	own, err := base.Tensor("shared.weight")
	if err != nil {
		t.Fatal(err)
	}
	edit(t, f, func(x map[string]safetensors.Tensor) {
		x["base_model.model.shared.weight"], x["base_model.model.lm_head.weight"] = own, own
	})
	if a, err = poly.OpenFS(f, m); err != nil {
		t.Fatal(err)
	}
	if err := sum(a); err != nil {
		t.Errorf("two adapters with the base's embedding: %v", err)
	}
	edit(t, f, func(x map[string]safetensors.Tensor) {
		x["base_model.model.shared.weight"] = safetensors.NewFloat32s("", []int{45, 16}, make([]float32, 45*16))
	})
	const want = "poly: tensor base_model.model.shared.weight: got shape [45 16], want [44 16]"
	if _, err := poly.OpenFS(f, m); err == nil || err.Error() != want {
		t.Errorf("a resized embedding: got %v, want %s", err, want)
	}
}

// unreadable has files that open and cannot be read.
type unreadable struct{ fs.FS }

func (u unreadable) Open(name string) (fs.File, error) {
	f, err := u.FS.Open(name)
	return unreadableFile{f}, err
}

type unreadableFile struct{ fs.File }

func (unreadableFile) Read([]byte) (int, error) { return 0, errors.New("the disk is gone") }

func TestUnreadable(t *testing.T) {
	if _, err := poly.OpenFS(unreadable{folder(t, example+"/adapter")}, openBase(t, example+"/base")); err == nil || err.Error() != "poly: adapter_config.json: the disk is gone" {
		t.Errorf("got %v", err)
	}
}

// The number of splits must divide both sizes of every layer.
func TestSplitsMustDivide(t *testing.T) {
	m := openBase(t, "testdata/peft-0.21/odd-two/base") // 40 → 60 and, for o, 60 → 40
	for target, want := range map[string]string{
		"q": "poly: config: n_splits: got 8, want a divisor of the out_features of encoder.block.0.layer.0.SelfAttention.q, 60",
		"o": "poly: config: n_splits: got 8, want a divisor of the in_features of encoder.block.0.layer.0.SelfAttention.o, 60",
	} {
		f := folder(t, "testdata/peft-0.21/odd-two/adapter")
		set(`"n_splits": 2`, `"n_splits": 8`)(t, f)
		set(`"q",`, "")(t, f)
		set(`"v"`, `"`+target+`"`)(t, f)
		if _, err := poly.OpenFS(f, m); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// failing is a source that cannot read its tensors.
type failing struct{ tensors }

func (f failing) Tensor(name string) (safetensors.Tensor, error) {
	return safetensors.Tensor{}, errors.New("cannot read " + name)
}

func TestNewErrors(t *testing.T) {
	e := newEngine(t)
	base := &identity{e, nn.NewLinear(e, nn.Weights{F32: make([]float32, 4)}, 2, 2)}
	config := poly.NewConfig()
	config.R, config.NSkills, config.TargetModules = 1, 1, poly.ModuleNames("dense")
	source := tensors{}
	source.add("base_model.model.dense.poly_lora_A", []int{1, 1, 2, 1}, 1, 2)
	if _, err := poly.New(config, base, failing{source}); err == nil || err.Error() != "poly: cannot read base_model.model.dense.poly_lora_A" {
		t.Errorf("a source that fails: got %v", err)
	}
	config.R = -1
	if _, err := poly.New(config, base, source); err == nil || err.Error() != "poly: config: r: got -1, want a positive integer" {
		t.Errorf("an invalid config: got %v", err)
	}
}

// reusing is a source that reads every tensor into the same memory.
type reusing struct {
	*safetensors.File
	memory []byte
}

func (r *reusing) Tensor(name string) (safetensors.Tensor, error) {
	x, err := r.File.Tensor(name)
	clear(r.memory)
	x.Data = r.memory[:copy(r.memory, x.Data)]
	return x, err
}

// New keeps nothing of a source's memory: a file may be mapped and closed.
func TestNewCopies(t *testing.T) {
	for dir, base := range adapterFolders(t) {
		m := openBase(t, base)
		f, err := safetensors.Open(dir + "/adapter_model.safetensors")
		if err != nil {
			t.Fatal(err)
		}
		config, err := poly.ParseConfig(read(t, dir+"/adapter_config.json"))
		if err != nil {
			t.Fatal(err)
		}
		a, err := poly.New(config, m, &reusing{f, make([]byte, 1<<20)})
		if err = errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		want, out := openAdapter(t, dir, m), t.TempDir()
		if !slices.Equal(trainable(t, a), trainable(t, want)) {
			t.Errorf("%s: got other values than those of the folder", dir)
		}
		if err := errors.Join(a.Save(out+"/a"), want.Save(out+"/want")); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(read(t, out+"/a/adapter_model.safetensors"), read(t, out+"/want/adapter_model.safetensors")) {
			t.Errorf("%s: got other tensors than those of the folder", dir)
		}
	}
}

// trainable returns all values that can be trained.
func trainable(t *testing.T, a *poly.Adapter) (values []float32) {
	tr, err := poly.NewTrainer(a, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range tr.Params() {
		values = append(values, p.Value.Data...)
	}
	return values
}
