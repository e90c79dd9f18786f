package poly_test

import (
	"bytes"
	"os"
	"testing"
	"testing/fstest"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
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

func read(t *testing.T, path string) []byte {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
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
