package train

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/poly"
)

// A LanguageModel is what a [PolyModel] adapts: a *model.Model.
type LanguageModel interface {
	poly.Base
	// Architecture says whether it has an encoder.
	Architecture() model.Architecture
	// StartID returns the id with which its decoder begins, and PadID the one that stands where there is no token; -1 where there is none.
	StartID() int
	PadID() int
	// Loss records the loss of a batch whose labels belong to the tokens of the decoder, one after another.
	Loss(ctx context.Context, p *nn.Pass, batch []model.Sequence, labels []int, n int) (autodiff.Value, error)
}

// A PolyModel is the objective of training an adapter on a base language model: the cross-entropy of the labels, as transformers has it. An
// encoder-decoder model's decoder gets the labels shifted right, with its StartID first and its PadID in place of labels that don't count; of a
// decoder-only model, which has a label for every input id, position i is to predict label i+1. Routing in evaluation is PEFT's eval mode. The base
// model has no dropout, whatever its config.json says.
type PolyModel struct {
	Base        LanguageModel   // needed
	Trainer     *poly.Trainer   // of an adapter that was made for Base; needed
	Relaxation  poly.Relaxation // of the routing in training
	Temperature float32         // of poly.RelaxedBernoulli, whose draws are the loop's; 0 means 1
	Prior       poly.Prior      // is added to the loss of a step
	Recompute   bool            // of the passes: less memory, more time, the same bits (transformers' gradient_checkpointing)

	tasks     []int
	sequences []model.Sequence
	labels    []int       // of all rows of the logits
	decoder   []int       // its input
	source    rand.Source // of uniforms
	uniforms  poly.Uniforms
}

var (
	_ Replicator = (*PolyModel)(nil)
	_ Saver      = (*PolyModel)(nil)
)

// Params implements Objective.
func (m *PolyModel) Params() []*autodiff.Param { return m.Trainer.Params() }

// Replica implements Replicator.
func (m *PolyModel) Replica() Objective {
	return &PolyModel{Base: m.Base, Trainer: m.Trainer.Replica(), Relaxation: m.Relaxation, Temperature: m.Temperature, Prior: m.Prior, Recompute: m.Recompute}
}

func (m *PolyModel) encodes() bool { return m.Base.Architecture().EncoderLayers > 0 }

// Measure implements Objective. The tokens are the encoder's and the decoder's.
func (m *PolyModel) Measure(x Example) (Size, error) {
	inputs, labels := len(x.InputIDs), x.Labels
	encodes := m.encodes()
	switch {
	case inputs == 0:
		return Size{}, fmt.Errorf("input_ids: got none, want at least one")
	case encodes && len(labels) == 0:
		return Size{}, fmt.Errorf("labels: got none, want at least one")
	case !encodes && len(labels) != inputs:
		return Size{}, fmt.Errorf("labels: got %d, want one for each of the %d input_ids", len(labels), inputs)
	case encodes && m.Base.StartID() < 0:
		return Size{}, errors.New("the model has no decoder_start_token_id and no pad_token_id, want one to begin with")
	case encodes && m.Base.PadID() < 0 && slices.Contains(labels, nn.IgnoreIndex):
		return Size{}, fmt.Errorf("labels: got %d, want none, as the model has no pad_token_id to stand for it", nn.IgnoreIndex)
	}
	tokens, from := inputs, 1
	if encodes {
		tokens, from = inputs+len(labels), 0
	}
	vocabulary := m.Base.Architecture().Vocabulary
	for i, label := range labels[from:] {
		if label != nn.IgnoreIndex && (label < 0 || label >= vocabulary) {
			return Size{}, fmt.Errorf("labels[%d]: got %d, want 0 ≤ label < %d or %d", from+i, label, vocabulary, nn.IgnoreIndex)
		}
	}
	return Size{tokens, count(labels[from:])}, nil
}

// count returns how many labels count.
func count(labels []int) int {
	n := 0
	for _, label := range labels {
		if label != nn.IgnoreIndex {
			n++
		}
	}
	return n
}

// Loss implements Objective.
func (m *PolyModel) Loss(ctx context.Context, p *nn.Pass, b *Batch) (autodiff.Value, error) {
	m.lay(b.Examples)
	var routing poly.Routing
	if b.Training {
		routing = poly.Routing{Relaxation: m.Relaxation, Temperature: m.Temperature, Uniforms: m.uniformsOf(b.Source)}
	}
	if err := m.Trainer.Begin(m.tasks, routing); err != nil {
		return autodiff.Value{}, err
	}
	p.Recompute = m.Recompute
	p.ResetTraining(p.Tape, len(m.sequences), m.Trainer.Trained())
	loss, err := m.Base.Loss(ctx, p, m.sequences, m.labels, b.Labels)
	if err == nil && b.Training && !loss.Needs() {
		return autodiff.Value{}, errors.New("got a loss that depends on nothing that is trained, want a Trainer of an adapter that was made for Base")
	}
	if err == nil && m.Prior != (poly.Prior{}) && b.Training && b.Index == 0 {
		loss = p.Tape.Plus(loss, m.Trainer.Prior(p.Tape, m.Prior))
	}
	return loss, err
}

func (m *PolyModel) uniformsOf(source rand.Source) poly.Uniforms {
	if m.source != source {
		m.source, m.uniforms = source, poly.RandomUniforms(source)
	}
	return m.uniforms
}

// lay sets what the model gets of examples.
func (m *PolyModel) lay(examples []Example) {
	m.tasks, m.sequences, m.labels, m.decoder = m.tasks[:0], m.sequences[:0], m.labels[:0], m.decoder[:0]
	encodes := m.encodes()
	for _, x := range examples {
		m.tasks = append(m.tasks, x.Task)
		s := model.Sequence{InputIDs: x.InputIDs}
		if encodes {
			s.DecoderInputIDs = m.shiftRight(x.Labels)
			m.labels = append(m.labels, x.Labels...)
		} else {
			m.labels = append(append(m.labels, x.Labels[1:]...), nn.IgnoreIndex)
		}
		m.sequences = append(m.sequences, s)
	}
}

// shiftRight returns a decoder's input.
func (m *PolyModel) shiftRight(labels []int) []int {
	from := len(m.decoder)
	m.decoder = append(m.decoder, m.Base.StartID())
	for _, id := range labels[:len(labels)-1] {
		if id == nn.IgnoreIndex {
			id = m.Base.PadID()
		}
		m.decoder = append(m.decoder, id)
	}
	return m.decoder[from:] // keeps its memory where m.decoder moves
}

// Save implements Saver: what PEFT opens.
func (m *PolyModel) Save(dir string) error { return m.Trainer.Adapter().Save(dir) }

// Load implements Saver. It is an error if something that is not trained differs from what the trainer has.
func (m *PolyModel) Load(dir string) error {
	saved, err := poly.Open(dir, m.Base)
	if err != nil {
		return err
	}
	whole := func(a *poly.Adapter) (params []*autodiff.Param, err error) {
		t, err := poly.NewTrainer(a, nil)
		if err != nil {
			return nil, err
		}
		return t.Params(), nil
	}
	from, err := whole(saved)
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	to, err := whole(m.Trainer.Adapter())
	if err != nil {
		return err
	}
	trained := map[string]*autodiff.Param{}
	for _, p := range m.Params() {
		trained[p.Name] = p
	}
	if len(from) != len(to) {
		return fmt.Errorf("%s: got %d tensors, want %d", dir, len(from), len(to))
	}
	for i, p := range from {
		switch {
		case p.Name != to[i].Name || !slices.Equal(p.Shape, to[i].Shape):
			return fmt.Errorf("%s: tensor %s: got shape %v, want %s with shape %v", dir, p.Name, p.Shape, to[i].Name, to[i].Shape)
		case trained[p.Name] == nil && !slices.Equal(p.Value.Data, to[i].Value.Data):
			return fmt.Errorf("%s: tensor %s: got other values than the adapter has, want the same, as it is not trained", dir, p.Name)
		}
	}
	for _, p := range from {
		if t := trained[p.Name]; t != nil {
			copy(t.Value.Data, p.Value.Data)
		}
	}
	return nil
}
