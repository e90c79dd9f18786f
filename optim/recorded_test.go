package optim_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/optim"
	"github.com/polytropon/polytropon/safetensors"
)

// A recording is testdata/steps.safetensors; record.py says what is in it.
type recording struct {
	t *testing.T
	f *safetensors.File
}

const recordedSteps = 8

var recordedGroups = [][]string{{"matrix", "cube"}, {"vector", "scalar"}}

func openRecording(t *testing.T, path string) recording {
	t.Helper()
	f, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return recording{t, f}
}

func (r recording) values(name string) (shape []int, values []float32) {
	r.t.Helper()
	tensor, err := r.f.Tensor(name)
	if err != nil {
		r.t.Fatal(err)
	}
	values, err = tensor.Float32s()
	if err != nil {
		r.t.Fatal(err)
	}
	return tensor.Shape, values
}

// params returns the parameters as all cases begin with them.
func (r recording) params(names ...string) []*autodiff.Param {
	var params []*autodiff.Param
	for _, name := range names {
		shape, values := r.values("init/" + name)
		params = append(params, autodiff.NewParam(name, shape, values))
	}
	return params
}

// setGrads gives the parameters the gradients of a step.
func (r recording) setGrads(params []*autodiff.Param, step int) {
	for _, p := range params {
		_, values := r.values(fmt.Sprintf("grad/%d/%s", step, p.Name))
		copy(p.Grad.Data, values)
	}
}

// A recordedCase is what the metadata say of a case.
type recordedCase struct {
	Class   string
	LR      [2]*float64
	Decay   [2]float64
	Total   int
	Options struct {
		Betas          *[2]float64
		Eps            json.RawMessage
		Momentum       float64
		Dampening      float64
		Nesterov       bool
		Beta1          float64
		DecayRate      *float64 `json:"decay_rate"`
		ClipThreshold  *float64 `json:"clip_threshold"`
		ScaleParameter *bool    `json:"scale_parameter"`
		RelativeStep   *bool    `json:"relative_step"`
		WarmupInit     bool     `json:"warmup_init"`
	}
}

// newCase returns a case's parameters, optimiser and schedule.
func (r recording) newCase(name string) ([]*autodiff.Param, optim.Optimizer, optim.Schedule) {
	r.t.Helper()
	var c recordedCase
	if err := json.Unmarshal([]byte(r.f.Metadata()[name]), &c); err != nil {
		r.t.Fatalf("case %s: %v", name, err)
	}
	var params []*autodiff.Param
	var groups []optim.Group
	for i, names := range recordedGroups {
		g := optim.Group{Params: r.params(names...), WeightDecay: c.Decay[i]}
		if c.LR[i] != nil {
			g.LR = *c.LR[i]
		}
		params, groups = append(params, g.Params...), append(groups, g)
	}
	o, err := c.optimizer(groups)
	if err != nil {
		r.t.Fatalf("case %s: %v", name, err)
	}
	schedule := optim.Constant()
	if c.Total > 0 {
		schedule = optim.Linear(2, c.Total)
	}
	return params, o, schedule
}

func (c recordedCase) optimizer(groups []optim.Group) (optim.Optimizer, error) {
	switch c.Class {
	case "Adam", "AdamW":
		o := optim.DefaultAdam()
		if c.Options.Betas != nil {
			o.Beta1, o.Beta2 = c.Options.Betas[0], c.Options.Betas[1]
		}
		if c.Options.Eps != nil {
			if err := json.Unmarshal(c.Options.Eps, &o.Eps); err != nil {
				return nil, err
			}
		}
		if c.Class == "AdamW" {
			return optim.NewAdamW(groups, o)
		}
		return optim.NewAdam(groups, o)
	case "SGD":
		return optim.NewSGD(groups, optim.SGDOptions{
			Momentum: c.Options.Momentum, Dampening: c.Options.Dampening, Nesterov: c.Options.Nesterov,
		})
	case "Adafactor":
		o := optim.DefaultAdafactor()
		if c.Options.Eps != nil {
			if err := json.Unmarshal(c.Options.Eps, &[]any{&o.SquareEps, &o.ScaleEps}); err != nil {
				return nil, err
			}
		}
		o.Beta1, o.WarmupInit = c.Options.Beta1, c.Options.WarmupInit
		set(&o.DecayRate, c.Options.DecayRate)
		set(&o.ClipThreshold, c.Options.ClipThreshold)
		set(&o.ScaleParameter, c.Options.ScaleParameter)
		set(&o.RelativeStep, c.Options.RelativeStep)
		return optim.NewAdafactor(groups, o)
	}
	return nil, fmt.Errorf("class %q", c.Class)
}

func set[T any](field *T, v *T) {
	if v != nil {
		*field = *v
	}
}

// step does a case's next step.
func (r recording) step(e *mat.Engine, params []*autodiff.Param, o optim.Optimizer, schedule optim.Schedule) {
	r.setGrads(params, o.Steps())
	o.Step(e, schedule(o.Steps()))
}

// ulps returns the largest difference of got and want, in units in the last place of scale.
func ulps(got, want, scale []float32) float64 {
	var most float64
	for i, w := range want {
		_, exp := math.Frexp(max(float64(scale[i]), 0x1p-126))
		if d := math.Abs(float64(got[i])-float64(w)) / math.Ldexp(1, exp-24); !(d <= most) {
			most = d
		}
	}
	return most
}

// grow sets each element of scale to the magnitude of its value, where that is larger.
func grow(scale, values []float32) {
	for i, v := range values {
		scale[i] = max(scale[i], float32(math.Abs(float64(v))))
	}
}
