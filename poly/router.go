package poly

import "github.com/polytropon/polytropon/mat"

// A Router holds how much each task wants each skill, split by split (PEFT's PolyRouter, tuners/poly/router.py).
type Router struct {
	Tasks, Splits, Skills int
	Logits                []float32 // Tasks × (Splits·Skills); column split·Skills + skill
}

func (r *Router) shape() []int { return []int{r.Tasks, r.Splits * r.Skills} }

// Weights returns the mixture of a task in eval mode, Splits × Skills: sigmoid of the logits, divided by their sum over the skills of a split
// plus 1e-12 (Poly eq. 3). 0 ≤ task < Tasks.
func (r *Router) Weights(e *mat.Engine, task int) mat.Matrix {
	w := mat.New(r.Splits, r.Skills)
	e.Sigmoid(w, mat.View(split(r.Logits, task, r.Tasks), r.Splits, r.Skills))
	normalize(w, mat.New(r.Splits, 1))
	return w
}
