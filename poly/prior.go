package poly

import (
	"math"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
)

// A Prior is a penalty on which tasks use which skills, to be added to a loss: for every router the sum of three terms, each with its coefficient
// and left out where that is 0. p is the sigmoid of a logit.
type Prior struct {
	// IBP is the coefficient of the negative logarithm of the Indian buffet process's probability of the tasks' choices (Poly eq. 4, without what does
	// not depend on them), 1 in the authors' code. A task uses a skill where p > ½. With N tasks, m_j of which use skill j, the term is for each
	// split
	//
	//	Σ ln K! over sets of K skills that the same tasks use − Σ [ln (N−m_j)! + ln (m_j−1)!] over skills that any task uses
	//
	// and the gradient of a logit is p(1−p)·[ψ(N−m_j+1) − ψ(m_j)], that of a choice which is p: skills that many tasks use grow, others shrink.
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
	out, needs := tape.New(1, 1, false), false
	for _, l := range t.layers {
		needs = needs || l.operands[ofZ].param != nil
	}
	if needs {
		out = tape.Needing(out)
	}
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
		for _, x := range z.Row(i) {
			c := choiceOf(x)
			mean += c.p / n
			entropy += c.entropy / n
		}
	}
	sum, meanSlope := float64(float64(p.Entropy)*entropy), 0.0
	if over := mean - 1/float64(r.Skills); !(over <= 0) {
		sum += float64(float64(p.L1) * over)
		meanSlope = float64(p.L1) / n
	}
	for j := range z.Cols {
		users, same := 0, 1 // of skill j; skills of its split up to j that the same tasks use: the product of these is Π K!
		for i := range z.Rows {
			if isUsed(z.Row(i)[j]) {
				users++
			}
		}
		for other := j / r.Skills * r.Skills; other < j; other++ {
			if sameUsers(z, other, j) {
				same++
			}
		}
		sum += float64(float64(p.IBP) * (mat.Log(float64(same)) - ibp[users].value))
		pSlope := float64(float64(p.IBP)*ibp[users].slope) + meanSlope
		for i := range z.Rows {
			c := choiceOf(z.Row(i)[j])
			slope.Row(i)[j] = float32(float64(pSlope*c.slope) + float64(p.Entropy)*c.entropySlope/n)
		}
	}
	return sum
}

// isUsed tells whether the sigmoid of z is above ½.
func isUsed(z float32) bool { return z > 0 }

// sameUsers tells whether the same tasks use the skills j and k.
func sameUsers(z mat.Matrix, j, k int) bool {
	for i := range z.Rows {
		if isUsed(z.Row(i)[j]) != isUsed(z.Row(i)[k]) {
			return false
		}
	}
	return true
}

// A choice is the probability p that a logit stands for, and p's entropy in nats, with their derivatives by the logit.
type choice struct{ p, slope, entropy, entropySlope float64 }

// choiceOf returns the choice of a logit. With e = exp(−|z|), the less likely side has the probability e/(1+e).
func choiceOf(z float32) choice {
	size := min(math.Abs(float64(z)), 100) // beyond, e is nothing beside 1
	e := mat.Exp(-size)
	less := e / (1 + e)
	c := choice{p: less, slope: less / (1 + e), entropy: mat.Log(1+e) + float64(size*less)}
	c.entropySlope = float64(size * c.slope)
	if z > 0 {
		c.p, c.entropySlope = 1/(1+e), -c.entropySlope
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
