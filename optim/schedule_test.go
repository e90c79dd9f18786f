package optim_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/polytropon/polytropon/optim"
)

// TestShortSchedules is of schedules that fall in one step (transformers' get_linear_ and get_cosine_schedule_with_warmup).
func TestShortSchedules(t *testing.T) {
	for name, schedule := range map[string]optim.Schedule{"linear": optim.Linear(2, 3), "cosine": optim.Cosine(2, 3)} {
		for step, want := range []float64{0, 0.5, 1, 0} {
			if got := schedule(step); got != want {
				t.Errorf("%s, step %d: got %v, want %v", name, step, got, want)
			}
		}
	}
}

// TestCosineFarBeyondItsEnd wants whole waves, as exact as the first.
func TestCosineFarBeyondItsEnd(t *testing.T) {
	for step, want := range map[int]float64{1 << 30: 1, 1<<30 + 1: 0, 1<<30 + 2: 1} {
		if got := optim.Cosine(0, 1)(step); got != want {
			t.Errorf("step %d: got %v, want %v", step, got, want)
		}
	}
}

// TestRecordedSchedules compares the factors with transformers': equal, but for the cosine, which is within one unit in the last place of 1 up to
// its end. After that transformers' argument is rounded ever more coarsely.
func TestRecordedSchedules(t *testing.T) {
	r := openRecording(t, "testdata/schedules.safetensors")
	for _, name := range r.f.Names() {
		var warmup, total int
		kind, numbers, _ := strings.Cut(name, "/")
		if _, err := fmt.Sscanf(numbers, "%d/%d", &warmup, &total); err != nil {
			t.Fatal(err)
		}
		bar := func(int) float64 { return 0 }
		var schedule optim.Schedule
		switch kind {
		case "constant":
			schedule = optim.Constant()
		case "constant_with_warmup":
			schedule = optim.ConstantWithWarmup(warmup)
		case "linear":
			schedule = optim.Linear(warmup, total)
		case "cosine":
			schedule = optim.Cosine(warmup, total)
			bar = func(step int) float64 { return 0x1p-52 * max(1, 2*float64(step-warmup)/float64(max(1, total-warmup))) }
		}
		tensor, err := r.f.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		factors, err := tensor.Float64s()
		if err != nil {
			t.Fatal(err)
		}
		for step, want := range factors {
			if got := schedule(step); !(math.Abs(got-want) <= bar(step)) {
				t.Errorf("%s, step %d: got %v, want %v", name, step, got, want)
			}
		}
	}
}
