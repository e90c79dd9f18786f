package poly

import (
	"math"
	"math/rand/v2"

	"github.com/polytropon/polytropon/nn"
)

// Init returns a fresh adapter for base, as PEFT's get_peft_model makes one (reset_poly_parameters of tuners/poly/layer.py):
//
//	A       uniform in ±1/√(In/Splits)
//	B       zeros, or where config.InitWeights is false uniform in ±1/√R
//	logits  uniform in ±10⁻³
//
// and the values of base for modules_to_save: the weights of linear layers and embeddings in their type, biases and norms in float32, as base holds them
// (PEFT writes them in their type). With B zero the adapter changes no bit of what base computes.
//
// The draws come from random layer by layer in base's order, of a layer those of A, of B if there are any, and of the logits, each in the order of the
// file, one Uint64 for each element: the same seed gives the same bits everywhere. (They are not PyTorch's.)
//
// The adapter's config is a copy of config in which target_modules is what PEFT saves: the model's default in place of null, full paths in place of
// "all-linear". Errors are those of [New] about the config.
func Init(config *Config, base Base, random rand.Source) (*Adapter, error) {
	c := *config
	a, targets, err := newAdapter(&c, base)
	if err != nil {
		return nil, err
	}
	c.TargetModules = targets
	a.metadata = map[string]string{"format": "pt"}
	for _, l := range a.layers {
		a.initLayer(l, random)
	}
	for _, m := range a.saved {
		values := m.Layer.Values()
		for _, p := range m.Layer.Params() {
			a.tensors = append(a.tensors, values[p.Name].Tensor(savedKey(m, p), p.Shape))
		}
		a.replaced[m.Layer] = m.Layer // immutable, so that it is as good as a copy
	}
	return a, nil
}

// boundZ is the largest logit of a fresh router.
const boundZ = 1e-3

// initLayer draws the bank and the router of a layer.
func (a *Adapter) initLayer(l *Layer, random rand.Source) {
	bounds := [...]float64{
		ofA: 1 / math.Sqrt(float64(l.Bank.In/l.Bank.Splits)),
		ofB: 1 / math.Sqrt(float64(l.Bank.R)),
		ofZ: boundZ,
	}
	if a.config.InitWeights {
		bounds[ofB] = 0
	}
	for i, t := range l.tensors() {
		*t.values = uniforms(t.size(), bounds[i], random)
		a.tensors = append(a.tensors, nn.Weights{F32: *t.values}.Tensor(t.key, t.shape))
	}
}

// uniforms returns n numbers between ±bound; for the bound 0 without a draw.
func uniforms(n int, bound float64, random rand.Source) []float32 {
	x := make([]float32, n)
	if bound == 0 {
		return x
	}
	for i := range x {
		x[i] = float32((2*float64(uniform(random)) - 1) * bound) // rounded twice: by bound and to float32
	}
	return x
}
