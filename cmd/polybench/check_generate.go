package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/polytropon/polytropon/generate"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/nn"
)

// requests returns the reference's batch to be continued, each sequence for its task.
func (v *verifier) requests() []model.Request {
	requests := make([]model.Request, len(v.inputs))
	for i := range requests {
		requests[i] = model.Request{InputIDs: v.inputs[i], Adapters: []nn.Adapter{v.adapter.Task(v.tasks[i])}}
	}
	return requests
}

// generation is what a reference's metadata says of how transformers generated.
type generation struct {
	MaxNewTokens      int     `json:"max_new_tokens"`
	NumBeams          int     `json:"num_beams"`
	LengthPenalty     float64 `json:"length_penalty"`
	EarlyStopping     any     `json:"early_stopping"`
	RepetitionPenalty float64 `json:"repetition_penalty"`
}

// readSettings reads settings of a reference's metadata. An error says that there are some that this build does not know.
func readSettings(text string) (generate.Settings, error) {
	g := generation{NumBeams: 1, LengthPenalty: 1}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&g); err != nil {
		return generate.Settings{}, fmt.Errorf("metadata: %w", err)
	}
	s := generate.Settings{MaxNewTokens: g.MaxNewTokens, RepetitionPenalty: g.RepetitionPenalty}
	if g.NumBeams != 1 {
		s.Beams = &generate.Beams{N: g.NumBeams, LengthPenalty: g.LengthPenalty}
		switch g.EarlyStopping {
		case nil, false:
		case true:
			s.Beams.EarlyStopping = generate.StopEarly
		case "never":
			s.Beams.EarlyStopping = generate.StopNever
		default:
			return generate.Settings{}, fmt.Errorf("metadata: early_stopping: got %v, want true, false or \"never\"", g.EarlyStopping)
		}
	}
	return s, nil
}

// checkTokens generates from the batch and compares each row up to its first stop token; what follows is padding.
func (v *verifier) checkTokens(ctx context.Context, name string) (check, error) {
	text := v.file.Metadata()[name]
	if !json.Valid([]byte(text)) {
		return check{}, fmt.Errorf("metadata: got %q, want the settings as a JSON object", text)
	}
	settings, err := readSettings(text)
	if err != nil {
		return check{Name: name, Reason: err.Error()}, nil
	}
	want, err := v.table(name)
	if err != nil {
		return check{}, err
	}
	if len(want) != len(v.inputs) {
		return check{}, fmt.Errorf("got %d sequences, want %d", len(want), len(v.inputs))
	}
	got, err := v.model.Generate(ctx, v.requests(), settings)
	if err != nil {
		return check{}, err
	}
	ok, all := true, []float32{}
	c := check{Name: name, OK: &ok}
	for i, row := range want {
		row = v.generated(row)
		c.Elements += len(row)
		for _, id := range got[i].IDs {
			all = append(all, float32(id))
		}
		same := slices.Equal(got[i].IDs, row)
		if !same && settings.RepetitionPenalty != 0 && len(v.inputs[i]) < v.width {
			if same, err = v.penalizesPadding(ctx, i, settings, row); err != nil {
				return check{}, err
			}
		}
		if !same && ok {
			ok = false
			c.Reason = fmt.Sprintf("sequence %d: got %v, want %v", i, got[i].IDs, row)
		}
	}
	c.SHA256 = digest(all)
	return c, nil
}

// generated returns the new tokens in a row of the reference, up to the first that stops it.
func (v *verifier) generated(row []int) []int {
	prompt := 1 // the token with which the decoder begins
	if v.decoder[0] == nil {
		prompt = v.width
	}
	row = row[min(prompt, len(row)):]
	if n := slices.IndexFunc(row, func(id int) bool { return slices.Contains(v.model.StopIDs(), id) }); n >= 0 {
		row = row[:n+1]
	}
	return row
}

// penalizesPadding reports whether sequence i gives want where the padding counts as part of its prompt, as in transformers 4.
func (v *verifier) penalizesPadding(ctx context.Context, i int, s generate.Settings, want []int) (bool, error) {
	if v.decoder[i] != nil {
		return false, nil
	}
	padded, err := v.table("input_ids")
	if err != nil {
		return false, err
	}
	d, err := v.model.Decoder(v.requests()[i : i+1])
	if err != nil {
		return false, err
	}
	s.StopIDs = v.model.StopIDs()
	got, err := generate.Collect(generate.Stream(ctx, v.model.Engine(), d, []generate.Request{{Prompt: padded[i], Settings: s}}), 1)
	return err == nil && slices.Equal(got[0].IDs, want), err
}

// cachedSteps is how many tokens checkCached follows.
const cachedSteps = 6

// checkCached decodes two sequences of each request, which branch off and change places as beams do, every other step with drafts that are of no use, and
// compares every step's logits with the bits of those that are computed from the whole sequences.
func (v *verifier) checkCached(ctx context.Context) (check, error) {
	requests := v.requests()
	d, err := v.model.Decoder(requests)
	if err != nil {
		return check{}, err
	}
	type path struct {
		request int
		ids     []int // new tokens
	}
	paths := make([]path, len(requests))
	for i := range paths {
		paths[i].request = i
	}
	width := 1 // rows of logits of each sequence
	var cached, whole []float32
	logits, err := d.Start(ctx)
	for n := 0; ; n++ {
		if err != nil {
			return check{}, err
		}
		batch := make([]model.Sequence, len(paths))
		for i, p := range paths {
			batch[i] = v.continued(p.request, p.ids)
		}
		full, err := v.model.Logits(ctx, batch)
		if err != nil {
			return check{}, err
		}
		for i := range paths {
			cached = append(cached, logits.Row(i*width)...)
			whole = append(whole, full.Of(i).Row(full.Layout.Len(i)-1)...)
		}
		if n == cachedSteps {
			break
		}
		var rows []generate.Row
		var next []path
		draft := n % 2 * 3
		add := func(parent, rank int) {
			id := ranked(logits, parent*width, rank)
			rows = append(rows, generate.Row{Parent: parent * width, Token: id, Draft: slices.Repeat([]int{id}, draft)})
			next = append(next, path{paths[parent].request, append(slices.Clip(paths[parent].ids), id)})
		}
		for i := range requests {
			switch {
			case n == 0:
				add(i, 0)
				add(i, 1)
			case n%2 == 0:
				add(2*i, 0)
				add(2*i, 1)
			default:
				add(2*i+1, 0)
				add(2*i, 0)
			}
		}
		paths, width = next, 1+draft
		if logits, err = d.Next(ctx, rows); err != nil {
			return check{}, err
		}
	}
	c, err := compare("cached", cached, whole)
	ok := c.SHA256 == digest(whole)
	c.OK = &ok
	return c, err
}

// continued returns a sequence of the batch, for its task, with new tokens.
func (v *verifier) continued(i int, ids []int) model.Sequence {
	s := v.tasked()[i]
	if v.decoder[i] == nil {
		s.InputIDs = slices.Concat(s.InputIDs, ids)
	} else {
		s.DecoderInputIDs = slices.Concat([]int{v.model.StartID()}, ids)
	}
	return s
}

// ranked returns the id with the largest logit of a row, or with the next one.
func ranked(logits mat.Matrix, row, rank int) int {
	scores := logits.Row(row)
	best, next := -1, -1
	for id, x := range scores {
		switch {
		case best < 0 || x > scores[best]:
			best, next = id, best
		case next < 0 || x > scores[next]:
			next = id
		}
	}
	return []int{best, next}[rank]
}
