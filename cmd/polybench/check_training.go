package main

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/optim"
	"github.com/polytropon/polytropon/poly"
)

// A training is the reference's batch and the adapter while it is trained.
type training struct {
	*verifier
	trainer *poly.Trainer
	pass    *nn.Pass
	tape    *autodiff.Tape
}

func (v *verifier) training() (*training, error) {
	trainer, err := poly.NewTrainer(v.adapter, nil)
	if err != nil {
		return nil, err
	}
	e := v.model.Engine()
	return &training{v, trainer, nn.NewPass(e), autodiff.NewTape(e)}, nil
}

// step computes the loss of the batch and its gradients.
func (t *training) step(ctx context.Context, r poly.Routing) (float32, error) {
	for _, p := range t.trainer.Params() {
		p.ZeroGrad()
	}
	if err := t.trainer.Begin(t.tasks, r); err != nil {
		return 0, err
	}
	t.pass.ResetTraining(t.tape, len(t.inputs), t.trainer.Trained())
	batch, rows := t.batch(func(int) []nn.Adapter { return nil }), 0
	for _, s := range batch {
		if rows += len(s.DecoderInputIDs); len(s.DecoderInputIDs) == 0 {
			rows += len(s.InputIDs)
		}
	}
	if len(t.labels) != rows {
		return 0, fmt.Errorf("labels: got %d, want %d, one for each row of the logits", len(t.labels), rows)
	}
	loss, err := t.model.Loss(ctx, t.pass, batch, t.labels, 0)
	if err != nil {
		return 0, err
	}
	t.tape.Backward(loss, 1)
	return loss.Data[0], nil
}

// checkGradients compares the gradients of the batch.
func (v *verifier) checkGradients(ctx context.Context) (check, error) {
	t, err := v.training()
	if err != nil {
		return check{}, err
	}
	if _, err := t.step(ctx, poly.Routing{}); err != nil {
		return check{}, err
	}
	return t.compareParams("grad", gradientBar, func(p *autodiff.Param) []float32 { return p.Grad.Data })
}

// checkTrainMode compares the loss and the gradients with the reference's draws.
func (v *verifier) checkTrainMode(ctx context.Context) ([]check, error) {
	t, err := v.training()
	if err != nil {
		return nil, err
	}
	loss, err := t.step(ctx, poly.Routing{Relaxation: poly.RelaxedBernoulli, Uniforms: v.reference})
	if err != nil {
		return nil, err
	}
	first, err := v.compareLosses("train.loss", []float32{loss}, 1e-4)
	if err != nil {
		return nil, err
	}
	second, err := t.compareParams("train.grad", gradientBar, func(p *autodiff.Param) []float32 { return p.Grad.Data })
	if err != nil {
		return []check{first}, err
	}
	return []check{first, second}, nil
}

// checkAdam compares the losses before ten steps of Adam, and what they lead to.
func (v *verifier) checkAdam(ctx context.Context) ([]check, error) {
	t, err := v.training()
	if err != nil {
		return nil, err
	}
	adam, err := optim.NewAdam([]optim.Group{{Params: t.trainer.Params(), LR: 1e-2}}, optim.DefaultAdam())
	if err != nil {
		return nil, err
	}
	losses := make([]float32, 10)
	for i := range losses {
		if losses[i], err = t.step(ctx, poly.Routing{}); err != nil {
			return nil, err
		}
		adam.Step(v.model.Engine(), 1)
	}
	first, err := v.compareLosses("adam.losses", losses, 1e-3)
	if err != nil {
		return nil, err
	}
	second, err := t.compareParams("adam.final", adamBar, func(p *autodiff.Param) []float32 { return p.Value.Data })
	if err != nil {
		return []check{first}, err
	}
	return []check{first, second}, nil
}

// Draw implements poly.Uniforms with the reference's draws.
func (r *reference) Draw(path string, u mat.Matrix) error {
	name := "train.uniform.base_model.model." + path + ".poly_router"
	values, err := r.floats(name)
	if err != nil {
		return err
	}
	if len(values) != len(u.Data) {
		return fmt.Errorf("tensor %s: got %d values, want %s", name, len(values), u.Shape())
	}
	copy(u.Data, values)
	return nil
}

// compareLosses compares losses by their relative difference.
func (v *verifier) compareLosses(name string, got []float32, bar float64) (check, error) {
	c, err := v.compareTensor(name, got)
	if err == nil {
		ok := float64(c.MaxRel) <= bar && float64(c.MaxAbs) >= 0 // false for NaN
		c.OK = &ok
	}
	return c, err
}

// A bar says whether what was got for a tensor is near enough to what is wanted, and how far it is off in units of the bar.
type bar func(got, want []float32) (off float64, ok bool)

// gradientBar: |got − want| ≤ 1e-4·max|want| + 1e-6, where PEFT's own float32 noise is 1e-5.
func gradientBar(got, want []float32) (off float64, ok bool) {
	largest, diff := 0.0, 0.0
	for i, w := range want {
		largest = math.Max(largest, math.Abs(float64(w)))
		diff = math.Max(diff, math.Abs(float64(got[i])-float64(w)))
	}
	off = diff / (1e-4*largest + 1e-6)
	return off, off <= 1
}

// adamBar: each element within 1e-2, since Adam's division amplifies noise where a gradient is near 0; compareParams asks for 99.9 % of all
// within 1e-3.
func adamBar(got, want []float32) (off float64, ok bool) {
	for i, w := range want {
		off = math.Max(off, math.Abs(float64(got[i])-float64(w))/1e-2)
	}
	return off, off <= 1
}

// compareParams compares a tensor for every parameter with the reference's tensors name.<parameter>, as one check that names the worst.
func (t *training) compareParams(name string, near bar, of func(p *autodiff.Param) []float32) (check, error) {
	c := check{Name: name}
	ok, worst, far := true, -1.0, 0
	var all []float32
	known := map[string]bool{}
	for _, p := range t.trainer.Params() {
		key := name + "." + p.Name
		known[key] = true
		want, err := t.floats(key)
		if err != nil {
			return check{}, err
		}
		got := of(p)
		part, err := compare(key, got, want)
		if err != nil {
			return check{}, fmt.Errorf("%s: %w", key, err)
		}
		c.MaxAbs = number(math.Max(float64(c.MaxAbs), float64(part.MaxAbs)))
		c.MaxRel = number(math.Max(float64(c.MaxRel), float64(part.MaxRel)))
		off, within := near(got, want)
		if !within {
			ok = false
		}
		if !(off <= worst) {
			worst, c.Worst = off, p.Name
		}
		for i, w := range want {
			if !(math.Abs(float64(got[i])-float64(w)) <= 1e-3) {
				far++
			}
		}
		all = append(all, got...)
	}
	for _, key := range t.named(name + ".") {
		if !known[key] {
			return check{}, fmt.Errorf("%s: got a tensor for %s, which is not trained", name, strings.TrimPrefix(key, name+"."))
		}
	}
	if name == "adam.final" && far*1000 > len(all) {
		ok = false
	}
	c.OK, c.Elements, c.SHA256 = &ok, len(all), digest(all)
	return c, nil
}
