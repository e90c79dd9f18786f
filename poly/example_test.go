package poly_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"strings"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/poly"
)

// One batch with two tasks of an adapter, two adapters summed, and the bare base.
func Example() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	base, err := model.Open("../cmd/polybench/testdata/t5-mhr/base", e)
	if err != nil {
		log.Fatal(err)
	}
	adapter, err := poly.Open("../cmd/polybench/testdata/t5-mhr/adapter", base)
	if err != nil {
		log.Fatal(err)
	}
	second, err := poly.Open("../cmd/polybench/testdata/t5-mhr/second", base)
	if err != nil {
		log.Fatal(err)
	}
	input, start := []int{17, 4, 99, 155}, []int{0}
	logits, err := base.Logits(context.Background(), []model.Sequence{
		{InputIDs: input, DecoderInputIDs: start, Adapters: []nn.Adapter{adapter.Task(0)}},
		{InputIDs: input, DecoderInputIDs: start, Adapters: []nn.Adapter{adapter.Task(2)}},
		{InputIDs: input, DecoderInputIDs: start, Adapters: []nn.Adapter{adapter.Task(0), second.Task(4)}},
		{InputIDs: input, DecoderInputIDs: start},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(logits.Shape())
	// Output: 4×256
}

func ExampleOpen() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	base, err := model.Open("../cmd/polybench/testdata/t5-mhr/base", e)
	if err != nil {
		log.Fatal(err)
	}
	adapter, err := poly.Open("../cmd/polybench/testdata/t5-mhr/adapter", base)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(adapter.Config().NTasks, "tasks,", len(adapter.Layers()), "layers")
	_, err = poly.Open("my-tasks", base)
	fmt.Println(errors.Is(err, fs.ErrNotExist), strings.HasPrefix(err.Error(), "my-tasks: "))
	// Output:
	// 3 tasks, 12 layers
	// true true
}

// What a folder holds of another adapter, as PEFT 0.8.2 leaves it there.
func ExampleAdapter_Strangers() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	base, err := model.Open("testdata/peft-0.8/t5-mhr/base", e)
	if err != nil {
		log.Fatal(err)
	}
	adapter, err := poly.Open("testdata/peft-0.8/t5-mhr/adapter", base)
	if err != nil {
		log.Fatal(err)
	}
	strangers := adapter.Strangers()
	fmt.Println(len(strangers), strangers[0])
	// Output: 36 base_model.model.decoder.block.0.layer.0.SelfAttention.k.poly_lora_A.second
}

func ExampleAdapter_Save() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	base, err := model.Open("../cmd/polybench/testdata/t5-mhr/base", e)
	if err != nil {
		log.Fatal(err)
	}
	adapter, err := poly.Open("../cmd/polybench/testdata/t5-mhr/adapter", base)
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "adapter")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := adapter.Save(dir); err != nil {
		log.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		log.Fatal(err)
	}
	for _, entry := range entries {
		fmt.Println(entry.Name())
	}
	// Output:
	// adapter_config.json
	// adapter_model.safetensors
}

func ExampleModel() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	base, err := model.Open("../cmd/polybench/testdata/t5-mhr/base", e)
	if err != nil {
		log.Fatal(err)
	}
	adapters := poly.NewModel(base)
	if _, err := adapters.Load("translate", "../cmd/polybench/testdata/t5-mhr/adapter"); err != nil {
		log.Fatal(err)
	}
	_, err = adapters.Adapter("summarise")
	fmt.Println(adapters.Names(), err)
	// Output: [translate] poly: adapter: got "summarise", want one of ["translate"]
}

// A newer folder takes the place of an adapter while requests are answered: those that have the old one keep it.
func ExampleModel_Load() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	base, err := model.Open("../cmd/polybench/testdata/t5-mhr/base", e)
	if err != nil {
		log.Fatal(err)
	}
	adapters := poly.NewModel(base)
	first, err := adapters.Load("translate", "../cmd/polybench/testdata/t5-mhr/adapter")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := adapters.Load("translate", "../cmd/polybench/testdata/t5-mhr/second"); err != nil {
		log.Fatal(err)
	}
	now, err := adapters.Adapter("translate")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(first.Config().NTasks, "tasks, now", now.Config().NTasks)
	adapters.Delete("translate")
	fmt.Println(adapters.Names())
	// Output:
	// 3 tasks, now 5
	// []
}

// An adapter comes from anywhere: a file system in the program, an object store, a Trainer.
func ExampleModel_Add() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	base, err := model.Open("../cmd/polybench/testdata/t5-mhr/base", e)
	if err != nil {
		log.Fatal(err)
	}
	adapter, err := poly.OpenFS(os.DirFS("../cmd/polybench/testdata/t5-mhr/adapter"), base)
	if err != nil {
		log.Fatal(err)
	}
	adapters := poly.NewModel(base)
	if err := adapters.Add("translate", adapter); err != nil {
		log.Fatal(err)
	}
	fmt.Println(adapters.Names(), adapters.Add("my.tasks", adapter))
	// Output: [translate] poly: adapter name: got "my.tasks", want a name without dots
}

func ExampleInspect() {
	folder, err := poly.Inspect(os.DirFS("../cmd/polybench/testdata/t5-mhr/adapter"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(folder.Paths), "modules, rank", folder.Config.R, "and", folder.Config.NSkills, "skills")
	// Output: 12 modules, rank 4 and 2 skills
}

func ExampleFolder_Weights() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	folder, err := poly.Inspect(os.DirFS("../cmd/polybench/testdata/t5-mhr/adapter"))
	if err != nil {
		log.Fatal(err)
	}
	w, err := folder.Weights(e, folder.Paths[0])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(folder.Paths[0])
	for task := range w.Rows {
		fmt.Printf("%.2f\n", w.Row(task)[:folder.Config.NSkills]) // of the first split
	}
	_, err = folder.Weights(e, "encoder")
	fmt.Println(err)
	// Output:
	// decoder.block.0.layer.0.SelfAttention.q
	// [0.30 0.70]
	// [0.35 0.65]
	// [0.59 0.41]
	// poly: module encoder is not adapted by this folder
}

func ExampleTaskError() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	base, err := model.Open("../cmd/polybench/testdata/t5-mhr/base", e)
	if err != nil {
		log.Fatal(err)
	}
	adapter, err := poly.Open("../cmd/polybench/testdata/t5-mhr/adapter", base)
	if err != nil {
		log.Fatal(err)
	}
	_, err = base.Logits(context.Background(), []model.Sequence{
		{InputIDs: []int{17}, DecoderInputIDs: []int{0}, Adapters: []nn.Adapter{adapter.Task(7)}},
	})
	if e, ok := errors.AsType[*poly.TaskError](err); ok {
		fmt.Println(e.ID, "of", e.Tasks)
	}
	fmt.Println(err)
	// Output:
	// 7 of 3
	// model: sequence 0: poly: task id: got 7, want 0 ≤ id < 3 (n_tasks)
}

// OpenFS takes any file system: an embed.FS puts an adapter into the binary.
func ExampleOpenFS() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	files := os.DirFS("../cmd/polybench/testdata/t5-mhr")
	folder := func(name string) fs.FS {
		sub, err := fs.Sub(files, name)
		if err != nil {
			log.Fatal(err)
		}
		return sub
	}
	base, err := model.OpenFS(folder("base"), e)
	if err != nil {
		log.Fatal(err)
	}
	adapter, err := poly.OpenFS(folder("adapter"), base)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(adapter.Layers()[0].Path, adapter.Config().NTasks, adapter.Strangers())
	// Output: encoder.block.0.layer.0.SelfAttention.q 3 []
}

func ExampleLayer_Mixture() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	l := poly.Layer{
		Bank:   poly.Bank{Splits: 1, Skills: 2, R: 1, In: 2, Out: 1, A: []float32{1, 2, 3, 4}, B: []float32{10, 20}},
		Router: poly.Router{Tasks: 2, Splits: 1, Skills: 2, Logits: []float32{0, 0, -20, 20}},
	}
	for task := range l.Router.Tasks {
		a, b := l.Mixture(e, task)
		fmt.Printf("%.3f %.3f\n", a.Data, b.Data)
	}
	// Output:
	// [2.000 3.000] [15.000]
	// [3.000 4.000] [20.000]
}

func ExampleRouter_Weights() {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	r := poly.Router{Tasks: 1, Splits: 2, Skills: 2, Logits: []float32{0, 0, 20, -20}}
	w := r.Weights(e, 0)
	fmt.Printf("%.2f %.2f\n", w.Row(0), w.Row(1))
	// Output: [0.50 0.50] [1.00 0.00]
}
