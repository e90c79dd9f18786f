package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/polytropon/polytropon/mat"
)

// runDemo runs a demo of a few steps and returns what it prints and the adapter's file.
func runDemo(t *testing.T, args ...string) (string, []byte) {
	dir := t.TempDir()
	var out bytes.Buffer
	if err := run(t.Context(), slices.Concat([]string{"train", "-demo", "-steps", "4", "-out", dir}, args), &out); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "adapter_model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(out.String(), dir, "DIR"), data
}

// A demo depends on its seed and its steps alone.
func TestTrainDemo(t *testing.T) {
	out, adapter := runDemo(t, "-threads", "2")
	for _, want := range []string{
		"4 steps of 24 examples", "saved to DIR and opened again", "mirror image", "weights of the skills, mean of all modules\n", "with the same cipher 0.",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if again, same := runDemo(t, "-threads", "1"); again != out || !bytes.Equal(same, adapter) {
		t.Errorf("another number of threads changes it; got\n%s\nwant\n%s", again, out)
	}
	if _, other := runDemo(t, "-seed", "2"); bytes.Equal(other, adapter) {
		t.Error("the seed has no effect")
	}
}

func TestTrainDemoErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args  []string
		want  string
		usage bool
	}{
		{[]string{"-demo", "-seconds", "0", "-out", dir}, "did not fall", false},
		{[]string{"-demo", "-seconds", "3600", "-out", file}, "-out: mkdir " + file, false}, // before the hour
		{[]string{"-demo", "-steps", "-1"}, "-steps: got -1", true},
		{[]string{"-demo", "-steps", "0"}, "-steps: got 0", true},
		{[]string{"-demo", "-steps", "1", "-seconds", "1"}, "exclude each other", true},
		{[]string{"-seconds", "1000000001"}, "-seconds: got 1000000001, want 0 ≤ seconds ≤ 1000000000", true},
		{[]string{"-steps", "3"}, "-demo", true},
		{[]string{"-out", dir}, "-demo", true},
	} {
		var out bytes.Buffer
		err := run(t.Context(), append([]string{"train"}, test.args...), &out)
		if err == nil || !strings.Contains(err.Error(), test.want) || errors.As(err, new(usageError)) != test.usage {
			t.Errorf("%q: got %v, want one with %q, of the command line: %v", test.args, err, test.want, test.usage)
		}
	}
}

// Before all is learnt the loss has fallen, and the tasks of a cipher share more than others.
func TestTrainDemoShares(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds, in the portable code minutes")
	}
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	d := demo{seed: 1, steps: 600}
	if err := d.open(e); err != nil {
		t.Fatal(err)
	}
	fresh, err := d.fresh()
	if err != nil {
		t.Fatal(err)
	}
	a, losses, err := d.train(t.Context(), fresh)
	if err != nil {
		t.Fatal(err)
	}
	if first, last := losses[0], losses[len(losses)-1]; !(last < first/2) {
		t.Errorf("the loss went from %v to %v, want below half", first, last)
	}
	shared := overlaps(e, a)
	cipher, other := meanSharing(shared, sameCipher), meanSharing(shared, func(i, j int) bool { return !sameCipher(i, j) })
	if !(cipher > other+0.05) {
		t.Errorf("tasks of a cipher share %.3f, others %.3f", cipher, other)
	}
}

// An adapter that gives other logits than the one that was saved is an error.
func TestTrainDemoReopens(t *testing.T) {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	d := demo{seed: 1, out: t.TempDir()}
	if err := d.open(e); err != nil {
		t.Fatal(err)
	}
	a, err := d.fresh()
	if err != nil {
		t.Fatal(err)
	}
	_, logits, err := d.evaluate(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.save(a); err != nil {
		t.Fatal(err)
	}
	if _, err := d.reopen(t.Context(), logits); err != nil {
		t.Error(err)
	}
	logits[len(logits)-1]++
	if _, err := d.reopen(t.Context(), logits); err == nil || !strings.Contains(err.Error(), "other logits") {
		t.Errorf("got %v, want an error that says that logits differ", err)
	}
}

// What is held out is not trained on, the tasks take turns, and an answer is the letters in the task's cipher.
func TestToySet(t *testing.T) {
	const end = 1
	trained := map[string]bool{}
	for _, heldOut := range []bool{false, true} {
		set := toySet{seed: 1, end: end, heldOut: heldOut}
		i := 7
		for x, err := range set.Examples(0, i) {
			if err != nil || x.Task != i%len(toyTasks) {
				t.Fatalf("example %d: got task %d, %v", i, x.Task, err)
			}
			var capitals, small []int
			for _, id := range x.InputIDs {
				switch task := toyTasks[x.Task]; {
				case 'A' <= id && id <= 'Z':
					capitals = append(capitals, 'A'+task.encode(id-'A'))
				case 'a' <= id && id <= 'z':
					small = append(small, 'a'+task.encode(id-'a'))
				case !strings.ContainsRune(task.marks, rune(id)):
					t.Fatalf("example %d: %q has another mark than %q", i, toyText(x.InputIDs), task.marks)
				}
			}
			if want := slices.Concat(capitals, small, []int{end}); len(want) != 3 || !slices.Equal(x.Labels, want) {
				t.Fatalf("example %d: got %v for %q, want %v", i, x.Labels, toyText(x.InputIDs), want)
			}
			if text := toyText(x.InputIDs); heldOut && trained[text] {
				t.Fatalf("example %d: %q is trained on", i, text)
			} else if !heldOut {
				trained[text] = true
			}
			if i++; i == 5000 {
				break
			}
		}
	}
	for _, task := range toyTasks {
		seen := map[int]bool{}
		for letter := range 26 {
			seen[task.encode(letter)] = true
		}
		if len(seen) != 26 {
			t.Errorf("%s: got %d letters of 26", task.cipher, len(seen))
		}
	}
}

func TestTenths(t *testing.T) {
	for _, test := range []struct{ x, want []float64 }{
		{nil, []float64{}},
		{[]float64{3, 1}, []float64{3, 1}},
		{[]float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13}, []float64{1, 2, 3, 4, 5.5, 7, 8, 9, 10, 12}},
	} {
		if got := tenths(test.x); !slices.Equal(got, test.want) {
			t.Errorf("%v: got %v, want %v", test.x, got, test.want)
		}
	}
}
