package optim_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/optim"
)

// TestRecordedClip compares norms and clipped gradients with torch.nn.utils.clip_grad_norm_.
func TestRecordedClip(t *testing.T) {
	r := openRecording(t, "testdata/steps.safetensors")
	e := newEngine(t, mat.Options{})
	params := r.params(slices.Concat(recordedGroups...)...)
	for _, limit := range []string{"0.1", "1.0", "1000000000.0"} {
		var limitNumber float64
		fmt.Sscan(limit, &limitNumber)
		clip := optim.NewClip(params, limitNumber)
		_, norms := r.values("clip/" + limit + "/norm")
		for step, want := range norms {
			r.setGrads(params, step)
			got := clip.Apply(e)
			if d := ulps([]float32{got}, []float32{want}, []float32{want}); !(d <= 2) {
				t.Errorf("max %s, step %d: got a norm of %v, want %v", limit, step, got, want)
			}
			for _, p := range params {
				_, want := r.values(fmt.Sprintf("clip/%s/%d/%s", limit, step, p.Name))
				scale := make([]float32, len(want))
				grow(scale, want)
				if d := ulps(p.Grad.Data, want, scale); !(d <= 4) {
					t.Errorf("max %s, step %d, %s: got a difference of %v units in the last place, want at most 4", limit, step, p.Name, d)
				}
			}
		}
	}
}

// TestClipNotFinite wants such a norm returned and the gradients as they were.
func TestClipNotFinite(t *testing.T) {
	e := newEngine(t, mat.Options{})
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e30} {
		p := autodiff.NewParam("w", []int{3}, make([]float32, 3))
		copy(p.Grad.Data, []float32{1, float32(bad), 2})
		norm := float64(optim.NewClip([]*autodiff.Param{p}, 1).Apply(e))
		if !math.IsNaN(norm) && !math.IsInf(norm, 1) {
			t.Errorf("%v: got a norm of %v, want NaN or +Inf", bad, norm)
		}
		if p.Grad.Data[0] != 1 || p.Grad.Data[2] != 2 {
			t.Errorf("%v: got gradients %v, want them unchanged", bad, p.Grad.Data)
		}
	}
}

// TestClipBelowTheLimit leaves gradients as they are whose norm is little less than the limit.
func TestClipBelowTheLimit(t *testing.T) {
	p := autodiff.NewParam("w", []int{2}, make([]float32, 2))
	copy(p.Grad.Data, []float32{3, 4})
	norm := optim.NewClip([]*autodiff.Param{p}, 6).Apply(newEngine(t, mat.Options{}))
	if norm != 5 || p.Grad.Data[0] != 3 || p.Grad.Data[1] != 4 {
		t.Errorf("got a norm of %v and gradients %v, want 5 and [3 4]", norm, p.Grad.Data)
	}
}

// TestClipToNothing clips to a norm that float32 does not have.
func TestClipToNothing(t *testing.T) {
	p := autodiff.NewParam("w", []int{2}, make([]float32, 2))
	copy(p.Grad.Data, []float32{3, 4})
	norm := optim.NewClip([]*autodiff.Param{p}, 1e-60).Apply(newEngine(t, mat.Options{}))
	if norm != 5 || p.Grad.Data[0] != 0 || p.Grad.Data[1] != 0 {
		t.Errorf("got a norm of %v and gradients %v, want 5 and zeros", norm, p.Grad.Data)
	}
}
