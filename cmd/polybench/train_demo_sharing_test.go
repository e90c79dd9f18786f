package main

import (
	"io/fs"
	"math"
	"testing"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/poly"
)

// Tasks share all with themselves; what two share is one less half of the distance between their weights.
func TestOverlaps(t *testing.T) {
	e, err := mat.NewEngine(mat.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	dir, err := fs.Sub(example, "testdata/t5-mhr/base")
	if err != nil {
		t.Fatal(err)
	}
	base, err := model.OpenFS(dir, e)
	if err != nil {
		t.Fatal(err)
	}
	a, err := poly.Open("testdata/t5-mhr/adapter", base)
	if err != nil {
		t.Fatal(err)
	}
	shared := overlaps(e, a)
	for i, row := range shared {
		for j, got := range row {
			want, n := 0.0, 0.0
			for _, l := range a.Layers() {
				wi, wj := l.Router.Weights(e, i), l.Router.Weights(e, j)
				for q := range l.Router.Splits {
					distance := 0.0
					for s, w := range wi.Row(q) {
						distance += math.Abs(float64(w - wj.Row(q)[s]))
					}
					want += 1 - distance/2
					n++
				}
			}
			if want /= n; math.Abs(got-want) > 1e-6 || i == j && math.Abs(got-1) > 1e-6 || i != j && got > 0.99 {
				t.Errorf("tasks %d and %d: got %v, want %v", i, j, got, want)
			}
		}
	}
}

func TestMeanSharing(t *testing.T) {
	shared := [][]float64{{1, 0.5, 0.25}, {0.5, 1, 0.75}, {0.25, 0.75, 1}}
	got := meanSharing(shared, func(i, j int) bool { return i == 2 })
	if got != 0.5 {
		t.Errorf("got %v, want 0.5", got)
	}
}
