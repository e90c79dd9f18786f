package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/polytropon/polytropon/generate"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/poly"
	"github.com/polytropon/polytropon/tokenizer"
)

// generateOptions is a command line of polybench generate.
type generateOptions struct {
	engine                 *mat.Options
	model, adapter, prompt string
	task, maxNewTokens     int
	drafts, ids            bool
}

func parseGenerate(args []string) (generateOptions, error) {
	flags := flag.NewFlagSet("generate", flag.ContinueOnError)
	o := generateOptions{engine: engineFlags(flags)}
	flags.StringVar(&o.model, "model", "", "")
	flags.StringVar(&o.adapter, "adapter", "", "")
	flags.IntVar(&o.task, "task", 0, "")
	flags.StringVar(&o.prompt, "prompt", "", "")
	flags.IntVar(&o.maxNewTokens, "max-new-tokens", 64, "")
	flags.BoolVar(&o.drafts, "drafts", true, "")
	flags.BoolVar(&o.ids, "ids", false, "")
	if err := parse(flags, args, 0); err != nil {
		return o, err
	}
	switch given := given(flags); {
	case o.model == "" || !given["prompt"]:
		return o, usageError("generate needs -model and -prompt")
	case o.prompt == "":
		return o, usageError("-prompt: got an empty text, want at least one character")
	case o.adapter == "" && given["task"]:
		return o, usageError("-task is of an -adapter")
	case o.maxNewTokens < 1:
		return o, usageError(fmt.Sprintf("-max-new-tokens: got %d, want ≥ 1", o.maxNewTokens))
	}
	return o, nil
}

// generateText continues a prompt greedily. It writes the text as it comes, and then how fast it came.
func generateText(ctx context.Context, args []string, w io.Writer) error {
	o, err := parseGenerate(args)
	if err != nil {
		return err
	}
	e, err := newEngine(o.engine)
	if err != nil {
		return err
	}
	defer e.Close()
	m, err := model.Open(o.model, e)
	if err != nil {
		return err
	}
	t, err := openText(os.DirFS(o.model))
	if err != nil {
		return fmt.Errorf("%s: %w", o.model, err)
	}
	request := model.Request{InputIDs: t.encode(o.prompt, m.Architecture().EncoderLayers > 0)}
	if o.adapter != "" {
		a, err := poly.Open(o.adapter, m)
		if err != nil {
			return err
		}
		request.Adapters = []nn.Adapter{a.Task(o.task)}
	}
	g := generated{decoder: t.NewDecoder(true), ids: []int{}, start: time.Now()}
	if !o.ids {
		g.text = w
	}
	settings := generate.Greedy(o.maxNewTokens)
	settings.NoDrafts = !o.drafts
	for event, err := range m.Stream(ctx, []model.Request{request}, settings) {
		if err != nil {
			return err
		}
		if err := g.add(event.IDs); err != nil {
			return err
		}
	}
	if o.ids {
		return json.NewEncoder(w).Encode(g.ids)
	}
	return g.finish(len(request.InputIDs))
}

// generated is what has been generated so far.
type generated struct {
	text         io.Writer // nil where only ids are wanted
	decoder      *tokenizer.Decoder
	ids          []int
	start, first time.Time // of the call, and when the first token was there
}

func (g *generated) add(ids []int) error {
	if len(g.ids) == 0 {
		g.first = time.Now()
	}
	g.ids = append(g.ids, ids...)
	if g.text == nil {
		return nil
	}
	for _, id := range ids {
		if _, err := io.WriteString(g.text, g.decoder.Next(id)); err != nil {
			return err
		}
	}
	return nil
}

// finish writes the rest of the text and the rates. The first token comes from the prompt.
func (g *generated) finish(prompt int) error {
	prefill, decode := g.first.Sub(g.start).Seconds(), time.Since(g.first).Seconds()
	_, err := fmt.Fprintf(g.text, "%s\n\nprefill %d tokens, %.1f tokens/s", g.decoder.End(), prompt, float64(prompt)/prefill)
	if n := len(g.ids) - 1; err == nil && n > 0 {
		_, err = fmt.Fprintf(g.text, "; decode %d tokens, %.1f tokens/s", n, float64(n)/decode)
	}
	if err == nil {
		_, err = fmt.Fprintln(g.text)
	}
	return err
}

// text is a model folder's tokenizer.
type text struct {
	*tokenizer.Tokenizer
	bare bool // the file doesn't say which special tokens are added
}

// openText opens tokenizer.json, or where there is none the SentencePiece model under one of the names that transformers gives it.
func openText(dir fs.FS) (text, error) {
	names := []string{"tokenizer.json", "spiece.model", "tokenizer.model"}
	for _, name := range names {
		t, err := tokenizer.OpenFS(dir, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		return text{t, name != names[0]}, err
	}
	return text{}, fmt.Errorf("got none of %q, want a tokenizer", names)
}

// encode returns the ids of a prompt, with the special tokens that the file adds. To those of a SentencePiece model it adds what transformers does: the
// end of an encoder's input, or else the beginning.
func (t text) encode(prompt string, encoder bool) []int {
	ids := t.Encode(prompt, true)
	if !t.bare {
		return ids
	}
	if encoder {
		if id, ok := t.ID("</s>"); ok {
			ids = append(ids, id)
		}
	} else if id, ok := t.ID("<s>"); ok {
		ids = slices.Insert(ids, 0, id)
	}
	return ids
}
