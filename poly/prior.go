package poly

import (
	"slices"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// A Prior is a penalty on which tasks use which skills, to be added to a loss: for every router the sum of three terms, each with its coefficient
// and left out where that is 0. p is the sigmoid of a logit.
type Prior struct {
	// IBP is the coefficient of −log p under the Indian buffet process (Poly eq. 4), without what does not depend on the tasks' choices; the
	// authors' code has 1. A task uses a skill where p > ½. With N tasks, m_j of which use skill j, it is for each split
	//
	//	Σ ln K! − Σ [ln (N−m_j)! + ln (m_j−1)!]
	//
	// the first sum over sets of K skills that the same tasks use, the second over skills with m_j > 0. Its derivative by a logit is
	// p(1−p)·[ψ(N−m_j+1) − ψ(m_j)], as if the choice were p: skills that many tasks use grow, others shrink.
	IBP float32

	// Entropy is the coefficient of the mean over all logits of −p·ln p − (1−p)·ln (1−p): choices become clear.
	Entropy float32

	// L1 is the coefficient of max(0, mean over all logits of p − 1/skills): a task comes to use one skill on average.
	L1 float32
}

// Prior returns the sum of p over all routers, 1 × 1; those that are not trained count too. It does not depend on the batch: where a step has several
// passes, one of them adds it to its loss.
func (t *Trainer) Prior(tape *autodiff.Tape, p Prior) autodiff.Value {
	if t.usages == nil {
		t.usages = usages(t.from.config.NTasks)
	}
	out := tape.New(1, 1, !tape.Evaluating && slices.ContainsFunc(t.layers, func(l *trainedLayer) bool { return l.operands[ofZ].param != nil }))
	sum := 0.0
	for _, l := range t.layers {
		z := l.operands[ofZ].on(tape)
		slope := tape.Scratch(z.Rows, z.Cols)
		sum += p.of(&l.layer.Router, z.Matrix, slope, t.usages)
		if z.Needs() {
			*autodiff.Record[penalty](tape) = penalty{out, z, slope}
		}
	}
	out.Data[0] = float32(sum)
	return out
}

// penalty is the part of out that z has.
type penalty struct {
	out, z autodiff.Value
	slope  mat.Matrix // of out by z
}

// Backward implements autodiff.Op.
func (o *penalty) Backward(t *autodiff.Tape) {
	if g, ok := t.Grad(o.out); ok {
		to, _ := t.Into(o.z) // a parameter's gradient is always added to
		t.Engine.AddScaled(to, to, o.slope, g.Data[0])
	}
}

// of returns the penalty of a router whose logits are z, and sets slope to its gradient. ibp has the parts of a skill by its number of users.
func (p Prior) of(r *Router, z, slope mat.Matrix, ibp []usage) float64 {
	mean, entropy := 0.0, 0.0
	n := float64(z.Rows * z.Cols)
	for i := range z.Rows {
		for j, x := range z.Row(i) {
			c := choiceOf(x)
			mean += c.p / n
			entropy += c.entropy / n
			slope.Row(i)[j] = float32(c.slope)
		}
	}
	sum, byMean := float64(float64(p.Entropy)*entropy), 0.0
	if over := mean - 1/float64(r.Skills); !(over <= 0) {
		sum += float64(float64(p.L1) * over)
		byMean = float64(p.L1) / n
	}
	for j := range z.Cols {
		skill := ibp[users(z, j)]
		sum += float64(float64(p.IBP) * (mat.Log(float64(sameBefore(z, j, r.Skills)+1)) - skill.value))
		byP := float64(float64(p.IBP)*skill.slope) + byMean
		for i := range z.Rows {
			x := float64(max(-limit, min(z.Row(i)[j], limit))) // −x is the entropy's derivative by p
			slope.Row(i)[j] = float32(float64(slope.Row(i)[j]) * (byP - float64(p.Entropy)*x/n))
		}
	}
	return sum
}

// isUsed tells whether the sigmoid of z is above ½.
func isUsed(z float32) bool { return z > 0 }

// users returns how many tasks use skill j.
func users(z mat.Matrix, j int) int {
	n := 0
	for i := range z.Rows {
		if isUsed(z.Row(i)[j]) {
			n++
		}
	}
	return n
}

// sameBefore returns how many skills of j's split before j the same tasks use. In a set of K such skills it is 0, 1, …, K−1, so that the product of what
// is one more is K!.
func sameBefore(z mat.Matrix, j, skills int) int {
	n := 0
	for k := j / skills * skills; k < j; k++ {
		same := true
		for i := 0; i < z.Rows && same; i++ {
			same = isUsed(z.Row(i)[j]) == isUsed(z.Row(i)[k])
		}
		if same {
			n++
		}
	}
	return n
}

// limit is what a logit is taken to be at most: beyond, it is as certain in float64.
const limit = 100

// A choice is the probability p that a logit stands for, its derivative by the logit, p(1−p), and p's entropy in nats.
type choice struct{ p, slope, entropy float64 }

// choiceOf returns the choice of a logit z. With e = exp(−|z|), the less likely side has the probability e/(1+e).
func choiceOf(z float32) choice {
	size := float64(min(max(z, -z), limit))
	e := mat.Exp(-size)
	less := e / (1 + e)
	c := choice{p: less, slope: less / (1 + e), entropy: mat.Log(1+e) + float64(size*less)}
	if z > 0 {
		c.p = 1 / (1 + e)
	}
	return c
}

// A usage is the part of IBP that a skill has which m of N tasks use: ln (N−m)! + ln (m−1)!, and ψ(N−m+1) − ψ(m), which is the difference of two
// harmonic numbers.
type usage struct{ value, slope float64 }

// usages returns the usages of m = 0 … tasks. A skill that no task uses has none.
func usages(tasks int) []usage {
	logFactorials, harmonics := make([]float64, tasks+1), make([]float64, tasks+1)
	for k := 1; k <= tasks; k++ {
		logFactorials[k] = logFactorials[k-1] + mat.Log(float64(k))
		harmonics[k] = harmonics[k-1] + 1/float64(k)
	}
	u := make([]usage, tasks+1)
	for m := 1; m <= tasks; m++ {
		u[m] = usage{logFactorials[tasks-m] + logFactorials[m-1], harmonics[tasks-m] - harmonics[m-1]}
	}
	return u
}
