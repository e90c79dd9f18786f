package poly_test

import (
	"context"
	"fmt"
	"log"
	"os"

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

func ExampleInspect() {
	folder, err := poly.Inspect(os.DirFS("../cmd/polybench/testdata/t5-mhr/adapter"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(folder.Paths), "modules, rank", folder.Config.R, "and", folder.Config.NSkills, "skills")
	// Output: 12 modules, rank 4 and 2 skills
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
