package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/polytropon/polytropon/mat"
)

func TestCompare(t *testing.T) {
	want := []float32{1, -2, 4}
	for _, test := range []struct {
		name string
		got  []float32
		ok   bool
	}{
		{"equal", []float32{1, -2, 4}, true},
		{"within the tolerance of the largest", []float32{1.0003, -2, 4}, true},
		{"beyond it", []float32{1.0005, -2, 4}, false},
		{"NaN", []float32{1, float32(math.NaN()), 4}, false},
		{"infinite", []float32{1, -2, float32(math.Inf(1))}, false},
		{"shorter", []float32{1, -2}, false},
	} {
		if err := compare(test.got, want, 1e-4); (err == nil) != test.ok {
			t.Errorf("%s: got error %v", test.name, err)
		}
	}
}

// The peers in Go answer the line protocol with what our engine computes.
func TestGolibs(t *testing.T) {
	e, err := mat.NewEngine(mat.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for name, lib := range golibs {
		for _, g := range []gemm{{"prepacked", 5, 7, 9, 1}, {"accumulate", 5, 7, 9, 1}, {"grouped", 5, 7, 9, 3}} {
			r := g.row()
			run, own, err := r.ours(e)
			if err != nil {
				t.Fatal(err)
			}
			run()
			var out bytes.Buffer
			if err := lib.serve(strings.NewReader("check 1 "+r.job+"\n"), &out); err != nil {
				t.Fatal(err)
			}
			var n int
			if _, err := fmt.Fscanf(&out, "%d\n", &n); err != nil || n != len(own()) {
				t.Fatalf("%s, %s: got %d values and error %v, want %d", name, r.name(), n, err, len(own()))
			}
			got := make([]float32, n)
			if err := binary.Read(&out, binary.LittleEndian, got); err != nil {
				t.Fatal(err)
			}
			if err := compare(got, own(), r.tolerance); err != nil {
				t.Errorf("%s, %s: %v", name, r.name(), err)
			}
		}
	}
}
