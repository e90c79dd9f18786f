package poly

import (
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/safetensors"
)

// NewTasks returns an adapter for n tasks that a has not seen: all of a but the routers, whose logits are drawn from random as [Init] draws them, layer by
// layer. A task then begins with nearly equal parts of all skills. This is where few-shot adaptation starts (Poly section 4;
// resize_module_logits of MHR's authors), which trains the skills too, or nothing but the routers: MHR-z. An n that no config can have is a [*ConfigError].
func (a *Adapter) NewTasks(n int, random rand.Source) (*Adapter, error) {
	c := *a.config
	c.NTasks = n
	if err := c.Validate(); err != nil {
		return nil, err
	}
	fresh := &Adapter{config: &c, engine: a.engine, saved: a.saved, replaced: maps.Clone(a.replaced), metadata: a.metadata}
	logits := map[string]safetensors.Tensor{}
	for _, l := range a.layers {
		layer := *l
		layer.Router.Tasks = n
		x := layer.tensors()[ofZ]
		*x.values = uniforms(x.size(), boundZ, random)
		logits[x.key] = nn.Weights{F32: *x.values}.Tensor(x.key, x.shape)
		fresh.layers = append(fresh.layers, &layer)
	}
	fresh.tensors = slices.Clone(a.tensors)
	for i, t := range fresh.tensors {
		if z, ok := logits[t.Name]; ok {
			fresh.tensors[i] = z
		}
	}
	return fresh, nil
}
