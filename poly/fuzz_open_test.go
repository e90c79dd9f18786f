package poly_test

import (
	"os"
	"testing"
	"testing/fstest"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/poly"
)

// Whatever an adapter folder holds, it opens or gives an error; what opens can be used and inspected.
func FuzzOpen(f *testing.F) {
	e, err := mat.NewEngine(mat.Options{Threads: 1})
	if err != nil {
		f.Fatal(err)
	}
	base, err := model.Open("testdata/peft-0.21/t5-long/base", e)
	if err != nil {
		f.Fatal(err)
	}
	for _, dir := range []string{"testdata/peft-0.21/t5-long/adapter", "testdata/peft-0.8/t5-bf16/adapter"} {
		config, err := os.ReadFile(dir + "/adapter_config.json")
		if err != nil {
			f.Fatal(err)
		}
		tensors, err := os.ReadFile(dir + "/adapter_model.safetensors")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(config, tensors)
	}
	f.Add([]byte(`{"peft_type":"POLY","target_modules":"dummy-target-modules","n_tasks":2000000000,"n_skills":1}`), []byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"))
	f.Fuzz(func(t *testing.T, config, tensors []byte) {
		dir := fstest.MapFS{"adapter_config.json": {Data: config}, "adapter_model.safetensors": {Data: tensors}}
		if a, err := poly.OpenFS(dir, base); err == nil {
			if _, err := a.Task(0).Delta(); err != nil {
				t.Errorf("task 0: %v", err)
			}
		}
		if folder, err := poly.Inspect(dir); err == nil {
			if _, err := folder.Weights(e, ""); err != nil {
				t.Errorf("weights: %v", err)
			}
		}
	})
}
