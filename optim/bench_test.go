package optim_test

import (
	"math/rand/v2"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/optim"
)

// benchParams is a head of 16M elements.
func benchParams() []*autodiff.Param {
	shape := []int{32768, 512}
	p := autodiff.NewParam("lm_head", shape, make([]float32, shape[0]*shape[1]))
	random := rand.New(rand.NewPCG(1, 1))
	for i := range p.Value.Data {
		p.Value.Data[i], p.Grad.Data[i] = random.Float32()-0.5, random.Float32()-0.5
	}
	return []*autodiff.Param{p}
}

func BenchmarkStep(b *testing.B) {
	params := benchParams()
	n := len(params[0].Value.Data)
	for _, kind := range kinds {
		o, err := kind.make([]optim.Group{{Params: params, LR: 1e-6}})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(kind.name, func(b *testing.B) {
			e := newEngine(b, mat.Options{})
			for b.Loop() {
				o.Step(e, 1)
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Melem/s")
		})
	}
}

func BenchmarkClip(b *testing.B) {
	params := benchParams()
	n := len(params[0].Value.Data)
	e := newEngine(b, mat.Options{})
	clip := optim.NewClip(params, 1e9)
	for b.Loop() {
		clip.Apply(e)
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Melem/s")
}
