package train_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"slices"
	"strings"

	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/tokenizer"
	"github.com/polytropon/polytropon/train"
)

// Texts become examples: of an encoder-decoder model the input and the answer, each as the tokenizer ends it; of a decoder-only model both in one sequence,
// whose labels count in the answer only. There the token that ends the answer is put by hand (a model's StopIDs).
func ExampleExample() {
	const lines = `{"task": 0, "input": "good", "output": "new good"}
{"task": 2, "input": "new", "output": "good"}`
	text, err := tokenizer.Open("../tokenizer/testdata/example.json")
	if err != nil {
		log.Fatal(err)
	}
	const stop = 0 // of a decoder-only model that has it
	for d := json.NewDecoder(strings.NewReader(lines)); ; {
		var line struct {
			Task          int
			Input, Output string
		}
		if err := d.Decode(&line); err == io.EOF {
			break
		} else if err != nil {
			log.Fatal(err)
		}
		encoderDecoder := train.Example{InputIDs: text.Encode(line.Input, true), Labels: text.Encode(line.Output, true), Task: line.Task}
		prompt, answer := text.Encode(line.Input, false), append(text.Encode(line.Output, false), stop)
		decoderOnly := train.Example{
			InputIDs: slices.Concat(prompt, answer),
			Labels:   slices.Concat(slices.Repeat([]int{nn.IgnoreIndex}, len(prompt)), answer),
			Task:     line.Task,
		}
		fmt.Println(encoderDecoder, decoderOnly)
	}
	// Output:
	// {[3 0] [2 1 3 0] 0} {[3 2 1 3 0] [-100 2 1 3 0] 0}
	// {[2 1 0] [3 0] 2} {[2 1 3 0] [-100 -100 3 0] 2}
}

// Early stopping: a cause of its own tells it from other reasons. The best checkpoint, which BestCheckpoint finds, is kept.
func ExampleConfig_earlyStopping() {
	e := newEngine()
	defer e.Close()
	ctx, stop := context.WithCancelCause(context.Background())
	defer stop(nil)
	enough := errors.New("two evaluations without a better one")
	patience := 2
	objective := newLookup(10, 8, 10, 1)
	loop, err := train.New(train.Config{
		Engine: e, Objective: objective, Optimizer: newAdam(objective, 0.3), Train: train.Shuffle(successors(40, 3, 10), 7), Eval: successors(4, 10, 10),
		BatchTokens: 12, MaxSteps: 1000, EvalSteps: 20,
		OnEvaluate: func(v train.Evaluation) {
			if patience--; v.Best {
				patience = 2
			}
			if patience == 0 {
				stop(enough)
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := loop.Run(ctx); !errors.Is(err, enough) {
		log.Fatal(err)
	}
	p := loop.Position()
	fmt.Println("step", p.Step, "best", p.BestStep)
	// Output: step 220 best 180
}
