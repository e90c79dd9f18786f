//go:build !race

package main

import (
	"testing"

	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/poly"
)

// A step allocates nothing once one like it was done. (The race detector makes memory be forgotten that is otherwise used again.)
func TestStepAllocations(t *testing.T) {
	for _, dir := range trainCases {
		tr := openTraining(t, dir)
		batch, params := tr.batch(func(int) []nn.Adapter { return nil }), tr.trainer.Params()
		step := func() {
			for _, p := range params {
				p.ZeroGrad()
			}
			if err := tr.trainer.Begin(tr.tasks, poly.Routing{}); err != nil {
				t.Fatal(err)
			}
			tr.pass.ResetTraining(tr.tape, len(batch), tr.trainer.Trained())
			logits, _, err := tr.model.Forward(t.Context(), tr.pass, batch)
			if err != nil {
				t.Fatal(err)
			}
			loss, err := tr.tape.CrossEntropy(logits, tr.labels, nn.IgnoreIndex, 0)
			if err != nil {
				t.Fatal(err)
			}
			tr.tape.Backward(loss, 1)
		}
		for _, again := range []bool{false, true} {
			tr.pass.Recompute = again
			step()
			if n := testing.AllocsPerRun(20, step); n >= 1 {
				t.Errorf("%s, recomputed %t: %v allocations per step", dir, again, n)
			}
		}
	}
}
