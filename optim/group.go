package optim

import (
	"cmp"
	"fmt"

	"github.com/polytropon/polytropon/autodiff"
)

// A Group is parameters that share a learning rate and a weight decay. Zeros mean what they say: parameters that stay where they are, and no
// decay.
type Group struct {
	Params      []*autodiff.Param // their names are those of the state's tensors
	LR          float64           // learning rate; a step multiplies it by its factor
	WeightDecay float64           // what is done with it is the optimiser's
}

// The rates of the Poly and MHR recipe.
const (
	RoutingLR = 0.1  // of the routers' logits
	SkillLR   = 1e-3 // of the skills, and whatever else is trained
)

// TwoSpeed returns the groups of the Poly and MHR recipe: the skills with SkillLR and the given weight decay, and the routers' logits with
// RoutingLR and none.
func TwoSpeed(skills, routing []*autodiff.Param, weightDecay float64) []Group {
	return []Group{
		{Params: skills, LR: SkillLR, WeightDecay: weightDecay},
		{Params: routing, LR: RoutingLR},
	}
}

// flatten checks the groups and returns all parameters and the group of each. A parameter whose fields contradict each other panics.
func flatten(groups []Group) (params []*autodiff.Param, groupOf []int, err error) {
	seen := map[string]bool{}
	for i, g := range groups {
		name := fmt.Sprintf("group %d: ", i)
		if err := cmp.Or(notNegative(name+"LR", g.LR), notNegative(name+"WeightDecay", g.WeightDecay)); err != nil {
			return nil, nil, err
		}
		for _, p := range g.Params {
			checkParam(p)
			if seen[p.Name] {
				return nil, nil, fmt.Errorf("optim: group %d: got parameter %q twice, want each name once", i, p.Name)
			}
			seen[p.Name] = true
			params, groupOf = append(params, p), append(groupOf, i)
		}
	}
	return params, groupOf, nil
}

func checkParam(p *autodiff.Param) {
	n := elements(p.Shape)
	v, g := p.Value, p.Grad
	if v.Rows*v.Cols != n || g.Rows != v.Rows || g.Cols != v.Cols || v.Stride != v.Cols || g.Stride != g.Cols {
		panic(fmt.Sprintf("optim: parameter %q of shape %v has a value of %s with stride %d and a gradient of %s with stride %d",
			p.Name, p.Shape, v.Shape(), v.Stride, g.Shape(), g.Stride))
	}
}

func elements(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
