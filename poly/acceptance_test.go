package poly_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/optim"
	"github.com/polytropon/polytropon/poly"
)

// PEFT's own test (tests/test_poly.py): ten steps of Adam on a few sentences of three tasks halve the loss; the adapter then changes the logits, and
// saved and opened again it gives the same. The tokens are bytes.
func TestTenStepsHalveTheLoss(t *testing.T) {
	base := openBase(t, example+"/base")
	tasks := []int{0, 1, 2, 1}
	texts := [][2]string{
		{"negate: the sky is blue", "the sky is not blue"},
		{"translate: good morning", "guten Morgen"},
		{"summarise: it rained all day, and at night it rained again", "it rained"},
		{"translate: good night", "gute Nacht"},
	}
	var batch []model.Sequence
	var labels []int
	for _, text := range texts {
		ids := func(s string) (ids []int) {
			for _, b := range []byte(s) {
				ids = append(ids, int(b))
			}
			return append(ids, 1)
		}
		target := ids(text[1])
		batch = append(batch, model.Sequence{InputIDs: ids(text[0]), DecoderInputIDs: append([]int{0}, target[:len(target)-1]...)})
		labels = append(labels, target...)
	}

	config := poly.NewConfig()
	config.R, config.NTasks, config.NSkills, config.NSplits = 8, 3, 2, 4
	fresh, err := poly.Init(config, base, rand.NewPCG(1, 2))
	if err != nil {
		t.Fatal(err)
	}
	trainer, err := poly.NewTrainer(fresh, nil)
	if err != nil {
		t.Fatal(err)
	}
	e := base.Engine()
	adam, err := optim.NewAdam([]optim.Group{{Params: trainer.Params(), LR: 1e-2}}, optim.DefaultAdam())
	if err != nil {
		t.Fatal(err)
	}
	pass, tape := nn.NewPass(e), autodiff.NewTape(e)
	uniforms := poly.RandomUniforms(rand.NewPCG(3, 4))
	var losses []float32
	for range 11 { // the last only for its loss
		for _, p := range trainer.Params() {
			p.ZeroGrad()
		}
		if err := trainer.Begin(tasks, poly.Routing{Relaxation: poly.RelaxedBernoulli, Uniforms: uniforms}); err != nil {
			t.Fatal(err)
		}
		pass.ResetTraining(tape, len(batch), trainer.Trained())
		loss, err := base.Loss(t.Context(), pass, batch, labels, 0)
		if err != nil {
			t.Fatal(err)
		}
		losses = append(losses, loss.Data[0])
		tape.Backward(loss, 1)
		adam.Step(e, 1)
	}
	t.Logf("losses %.3f", losses)
	if !(losses[10] < losses[0]/2) {
		t.Errorf("got the losses %v, want the last to be below half of the first", losses)
	}

	trained := trainer.Adapter()
	logits := func(a *poly.Adapter) []float32 {
		with := slices.Clone(batch)
		for i := range with {
			if a != nil {
				with[i].Adapters = []nn.Adapter{a.Task(tasks[i])}
			}
		}
		l, err := base.Logits(t.Context(), with)
		if err != nil {
			t.Fatal(err)
		}
		return l.Data
	}
	want := logits(trained)
	if slices.Equal(want, logits(nil)) {
		t.Error("the adapter changes nothing")
	}
	dir := t.TempDir()
	if err := trained.Save(dir); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(logits(openAdapter(t, dir, base)), want) {
		t.Error("saved and opened: other logits")
	}
}
