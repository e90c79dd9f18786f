package poly_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/polytropon/polytropon/poly"
	"github.com/polytropon/polytropon/safetensors"
)

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

// What is saved is for inference and has PEFT's metadata; the adapter's own config stays as it is.
func TestSaveForInference(t *testing.T) {
	m, dir := openBase(t, example+"/base"), t.TempDir()
	a, err := poly.Init(poly.NewConfig(), m, rand.NewPCG(1, 2))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Save(dir); err != nil {
		t.Fatal(err)
	}
	if a.Config().InferenceMode || !openAdapter(t, dir, m).Config().InferenceMode {
		t.Errorf("got inference_mode %v, and %v when opened, want false and true", a.Config().InferenceMode, openAdapter(t, dir, m).Config().InferenceMode)
	}
	f, err := safetensors.Open(dir + "/adapter_model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := f.Metadata(); !maps.Equal(got, map[string]string{"format": "pt"}) {
		t.Errorf("got the metadata %v, want format pt", got)
	}
}

// A config that cannot be written is an error before anything is written.
func TestSaveWithoutAConfig(t *testing.T) {
	c := poly.NewConfig()
	c.BaseModel = new("\xff")
	a, err := poly.Init(c, openBase(t, example+"/base"), rand.NewPCG(1, 2))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := a.Save(dir); err == nil || !strings.Contains(err.Error(), `got the string "\xff"`) {
		t.Errorf("got %v, want an error about the string", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("got the files %v, %v, want none", entries, err)
	}
}

// Files that are replaced keep their permissions.
func TestSaveKeepsPermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no such permissions here")
	}
	a, dir := openAdapter(t, example+"/adapter", openBase(t, example+"/base")), t.TempDir()
	for _, name := range []string{"adapter_config.json", "adapter_model.safetensors"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o640); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Save(dir); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Fatalf("got %v, %v, want two files", entries, err)
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err != nil || info.Mode() != 0o640 {
			t.Errorf("%s: got %v, %v, want the mode 0640", entry.Name(), info.Mode(), err)
		}
	}
}

func TestSaveToAFile(t *testing.T) {
	m := openBase(t, example+"/base")
	a := openAdapter(t, example+"/adapter", m)
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{path, filepath.Join(path, "below")} {
		if err := a.Save(dir); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v", dir, err)
		}
	}
}

// A save that fails leaves no temporary file, and no half of a file.
func TestSaveFails(t *testing.T) {
	m := openBase(t, example+"/base")
	a := openAdapter(t, example+"/adapter", m)
	for _, name := range []string{"adapter_config.json", "adapter_model.safetensors"} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, name, "occupied"), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := a.Save(dir); err == nil || !strings.HasPrefix(err.Error(), "poly: save: ") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			if !slices.Contains([]string{"adapter_config.json", "adapter_model.safetensors"}, entry.Name()) {
				t.Errorf("%s: left %s", name, entry.Name())
			}
		}
	}
}
