package poly_test

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/polytropon/polytropon/poly"
	"github.com/polytropon/polytropon/safetensors"
)

// What Inspect finds of a folder is what opening it for its base finds.
func TestInspect(t *testing.T) {
	for dir, base := range adapterFolders(t) {
		folder, err := poly.Inspect(os.DirFS(dir))
		if err != nil {
			t.Fatal(err)
		}
		a := openAdapter(t, dir, openBase(t, base))
		var paths []string
		for _, l := range a.Layers() {
			paths = append(paths, l.Path)
		}
		slices.Sort(paths)
		tensors := 3*len(paths) + len(folder.Saved) + len(folder.Base) + len(folder.Strangers)
		if len(folder.Tensors) != tensors {
			t.Errorf("%s: got %d tensors, want %d", dir, len(folder.Tensors), tensors)
		}
		if !slices.Equal(folder.Paths, paths) || !slices.Equal(folder.Strangers, a.Strangers()) {
			t.Errorf("%s: got modules %q and strangers %q, want %q and %q", dir, folder.Paths, folder.Strangers, paths, a.Strangers())
		}
		for _, s := range folder.Saved {
			if strings.Contains(s.Name, ".poly_") || len(folder.Config.ModulesToSave) == 0 {
				t.Errorf("%s: %s is no tensor of modules_to_save %q", dir, s.Name, folder.Config.ModulesToSave)
			}
		}
	}
}

// The weights of a module are those of its router.
func TestInspectWeights(t *testing.T) {
	e := newEngine(t)
	folder, err := poly.Inspect(os.DirFS(example + "/adapter"))
	if err != nil {
		t.Fatal(err)
	}
	layers := openAdapter(t, example+"/adapter", openBase(t, example+"/base")).Layers()
	var sum float32
	for _, l := range layers {
		got, err := folder.Weights(e, l.Path)
		if err != nil {
			t.Fatal(err)
		}
		for task := range l.Router.Tasks {
			if task == 1 {
				sum += got.Row(task)[2]
			}
			if want := l.Router.Weights(e, task); !slices.Equal(got.Row(task), want.Data) {
				t.Errorf("%s, task %d: got %v, want %v", l.Path, task, got.Row(task), want.Data)
			}
		}
	}
	mean, err := folder.Weights(e, "")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := mean.Row(1)[2], sum/float32(len(layers)); got < want-1e-6 || got > want+1e-6 {
		t.Errorf("the mean weight of task 1 and skill 2: got %v, want %v", got, want)
	}
	if _, err := folder.Weights(e, "encoder"); err == nil || err.Error() != "poly: module encoder is not adapted by this folder" {
		t.Errorf("a module that is not adapted: got %v", err)
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
		{"no A", "encoder.block.1.layer.0.SelfAttention.v.poly_lora_A is missing", func(x map[string]safetensors.Tensor) {
			delete(x, "base_model.model.encoder.block.1.layer.0.SelfAttention.v.poly_lora_A")
		}},
		{"a router alone", "encoder.block.1.layer.0.SelfAttention.v.poly_lora_A is missing", func(x map[string]safetensors.Tensor) {
			delete(x, "base_model.model.encoder.block.1.layer.0.SelfAttention.v.poly_lora_A")
			delete(x, "base_model.model.encoder.block.1.layer.0.SelfAttention.v.poly_lora_B")
		}},
		{"no layer", "want at least one", func(x map[string]safetensors.Tensor) {
			for name := range x {
				if strings.Contains(name, ".poly_") {
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
	if _, err := poly.Inspect(fstest.MapFS{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder: got %v, want fs.ErrNotExist", err)
	}
}
