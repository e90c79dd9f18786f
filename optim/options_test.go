package optim_test

import (
	"math"
	"strings"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/optim"
)

func TestOptionErrors(t *testing.T) {
	adam := func(change func(o *optim.AdamOptions)) func(g []optim.Group) error {
		return func(g []optim.Group) error {
			o := optim.DefaultAdam()
			change(&o)
			_, err := optim.NewAdamW(g, o)
			return err
		}
	}
	sgd := func(o optim.SGDOptions) func(g []optim.Group) error {
		return func(g []optim.Group) error {
			_, err := optim.NewSGD(g, o)
			return err
		}
	}
	adafactor := func(change func(o *optim.AdafactorOptions)) func(g []optim.Group) error {
		return func(g []optim.Group) error {
			o := optim.DefaultAdafactor()
			o.RelativeStep = false
			change(&o)
			_, err := optim.NewAdafactor(g, o)
			return err
		}
	}
	for _, c := range []struct {
		want string
		make func(g []optim.Group) error
	}{
		{"Eps: got 0", adam(func(o *optim.AdamOptions) { *o = optim.AdamOptions{} })},
		{"Beta1: got 1", adam(func(o *optim.AdamOptions) { o.Beta1 = 1 })},
		{"Beta2: got -0.1", adam(func(o *optim.AdamOptions) { o.Beta2 = -0.1 })},
		{"Beta2: got NaN", adam(func(o *optim.AdamOptions) { o.Beta2 = math.NaN() })},
		{"Eps: got NaN", adam(func(o *optim.AdamOptions) { o.Eps = math.NaN() })},
		{"Eps: got +Inf", adam(func(o *optim.AdamOptions) { o.Eps = math.Inf(1) })},
		{"Eps: got 1e-50, want a positive number that float32 holds", adam(func(o *optim.AdamOptions) { o.Eps = 1e-50 })},
		{"Eps: got 1e+39", adam(func(o *optim.AdamOptions) { o.Eps = 1e39 })},
		{"Beta2: got 0.999999999, want", adam(func(o *optim.AdamOptions) { o.Beta2 = 1 - 1e-9 })},
		{"Momentum: got -1", sgd(optim.SGDOptions{Momentum: -1})},
		{"Momentum: got 1e+39", sgd(optim.SGDOptions{Momentum: 1e39})},
		{"Dampening: got 1e+39", sgd(optim.SGDOptions{Dampening: 1e39})},
		{"Dampening: got NaN", sgd(optim.SGDOptions{Dampening: math.NaN()})},
		{"Dampening: got -Inf", sgd(optim.SGDOptions{Dampening: math.Inf(-1)})},
		{"Nesterov: got momentum 0 ", sgd(optim.SGDOptions{Nesterov: true})},
		{"dampening 0.5, want", sgd(optim.SGDOptions{Momentum: 1, Dampening: 0.5, Nesterov: true})},
		{"SquareEps: got 0", adafactor(func(o *optim.AdafactorOptions) { *o = optim.AdafactorOptions{} })},
		{"SquareEps: got 1e-50", adafactor(func(o *optim.AdafactorOptions) { o.SquareEps = 1e-50 })},
		{"ScaleEps: got 0", adafactor(func(o *optim.AdafactorOptions) { o.ScaleEps = 0 })},
		{"ClipThreshold: got 0", adafactor(func(o *optim.AdafactorOptions) { o.ClipThreshold = 0 })},
		{"ClipThreshold: got 1e-50", adafactor(func(o *optim.AdafactorOptions) { o.ClipThreshold = 1e-50 })},
		{"DecayRate: got 1, want", adafactor(func(o *optim.AdafactorOptions) { o.DecayRate = 1 })},
		{"DecayRate: got -Inf, want", adafactor(func(o *optim.AdafactorOptions) { o.DecayRate = math.Inf(-1) })},
		{"Beta1: got 1", adafactor(func(o *optim.AdafactorOptions) { o.Beta1 = 1 })},
		{"WarmupInit: got true", adafactor(func(o *optim.AdafactorOptions) { o.WarmupInit = true })},
		{"group 0: LR: got 1, want 0", adafactor(func(o *optim.AdafactorOptions) { o.RelativeStep = true })},
	} {
		p := autodiff.NewParam("w", []int{2}, make([]float32, 2))
		err := c.make([]optim.Group{{Params: []*autodiff.Param{p}, LR: 1}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got error %v, want one with %q", err, c.want)
		}
	}
}

func TestGroupErrors(t *testing.T) {
	w := []*autodiff.Param{autodiff.NewParam("w", []int{2}, make([]float32, 2))}
	for _, c := range []struct {
		want   string
		groups []optim.Group
	}{
		{"group 0: LR: got -1", []optim.Group{{Params: w, LR: -1}}},
		{"group 1: LR: got NaN", []optim.Group{{}, {Params: w, LR: math.NaN()}}},
		{"group 0: LR: got +Inf", []optim.Group{{Params: w, LR: math.Inf(1)}}},
		{"group 0: LR: got 1e+39, want a number ≥ 0 that float32 holds", []optim.Group{{Params: w, LR: 1e39}}},
		{"group 0: WeightDecay: got -1", []optim.Group{{Params: w, WeightDecay: -1}}},
		{"group 0: WeightDecay: got +Inf", []optim.Group{{Params: w, WeightDecay: math.Inf(1)}}},
		{`group 1: got parameter "w" twice`, []optim.Group{{Params: w}, {Params: w}}},
	} {
		for _, kind := range kinds {
			if _, err := kind.make(c.groups); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got error %v, want one with %q", kind.name, err, c.want)
			}
		}
	}
}

// TestMisuse wants panics that say what is wrong.
func TestMisuse(t *testing.T) {
	// with returns a parameter of the shape [2 3] that has another value or gradient.
	with := func(change func(p *autodiff.Param)) *autodiff.Param {
		p := autodiff.NewParam("w", []int{2, 3}, make([]float32, 6))
		change(p)
		return p
	}
	wrong := with(func(p *autodiff.Param) { p.Grad = mat.New(3, 2) })
	wide := mat.New(2, 4).ColRange(0, 3)
	for _, c := range []struct {
		want string
		do   func()
	}{
		{`parameter "w" of shape [2 3] has a value of 2×3 with stride 3 and a gradient of 3×2 with stride 2`, func() {
			optim.NewAdam([]optim.Group{{Params: []*autodiff.Param{wrong}}}, optim.DefaultAdam())
		}},
		{"a gradient of 3×2", func() { optim.NewClip([]*autodiff.Param{wrong}, 1) }},
		{"a value of 2×3 with stride 3 and a gradient of 2×2", func() {
			optim.NewClip([]*autodiff.Param{with(func(p *autodiff.Param) { p.Grad = mat.New(2, 2) })}, 1)
		}},
		{"a value of 2×3 with stride 3 and a gradient of 1×3", func() {
			optim.NewClip([]*autodiff.Param{with(func(p *autodiff.Param) { p.Grad = mat.New(1, 3) })}, 1)
		}},
		{"a value of 2×2 with stride 2 and a gradient of 2×2", func() {
			optim.NewClip([]*autodiff.Param{with(func(p *autodiff.Param) { p.Value, p.Grad = mat.New(2, 2), mat.New(2, 2) })}, 1)
		}},
		{"a value of 2×3 with stride 4", func() { optim.NewClip([]*autodiff.Param{with(func(p *autodiff.Param) { p.Value = wide })}, 1) }},
		{"a gradient of 2×3 with stride 4", func() { optim.NewClip([]*autodiff.Param{with(func(p *autodiff.Param) { p.Grad = wide })}, 1) }},
		{"clip to a norm of 0", func() { optim.NewClip(nil, 0) }},
	} {
		func() {
			defer func() {
				if got, _ := recover().(string); !strings.Contains(got, c.want) {
					t.Errorf("got panic %q, want one with %q", got, c.want)
				}
			}()
			c.do()
		}()
	}
}

// TestTwoSpeed wants no decay for the routing, and the recipe's rates.
func TestTwoSpeed(t *testing.T) {
	skill := []*autodiff.Param{autodiff.NewParam("A", []int{2}, make([]float32, 2))}
	routing := []*autodiff.Param{autodiff.NewParam("Z", []int{2}, make([]float32, 2))}
	g := optim.TwoSpeed(skill, routing, 0.01)
	if len(g) != 2 || g[0].Params[0] != skill[0] || g[0].LR != 1e-3 || g[0].WeightDecay != 0.01 ||
		g[1].Params[0] != routing[0] || g[1].LR != 0.1 || g[1].WeightDecay != 0 {
		t.Errorf("got %+v", g)
	}
}
