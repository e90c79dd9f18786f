package nn

import (
	"testing"

	"github.com/polytropon/polytropon/mat"
)

func TestOrderFollowsTheLastPass(t *testing.T) {
	var packed [6]mat.Packed
	group := func(rows int, weights ...int) (g []mat.Product) {
		for _, w := range weights {
			g = append(g, mat.Product{C: mat.New(rows, 1), B: &packed[w]})
		}
		return g
	}
	var o order
	for _, pass := range []struct {
		groups [][]int
		want   []int // the first of the weights that are said to come next, -1 for none
	}{
		{[][]int{{0, 1}, {2}, {3}}, []int{-1, -1, -1}}, // all is new
		{[][]int{{0, 1}, {2}, {3}}, []int{2, 3, 0}},
		{[][]int{{0, 1}, {4}, {3}}, []int{2, -1, -1}}, // another way, which is remembered
		{[][]int{{0, 1}, {4}, {3}}, []int{4, 3, 0}},
		{[][]int{{0, 1}}, []int{4}},
		{[][]int{{0, 1}, {4}, {3}, {5}}, []int{4, 3, 0, -1}},
		{[][]int{{0, 2}, {4}}, []int{-1, -1}},
	} {
		o.at = 0
		for i, g := range pass.groups {
			next, got := o.next(group(i+1, g...)), -1
			if len(next) > 0 {
				for w := range packed {
					if next[0].B == &packed[w] {
						got = w
					}
				}
			}
			if got != pass.want[i] {
				t.Errorf("after group %v of %v: %d is said to come next, want %d", g, pass.groups, got, pass.want[i])
			}
		}
	}
}

// A pass that ends sooner than the last one is followed by the next pass's first group, and what came after its end is forgotten.
func TestOrderEnds(t *testing.T) {
	var packed [3]mat.Packed
	group := func(w int) []mat.Product { return []mat.Product{{C: mat.New(1, 1), B: &packed[w]}} }
	var o order
	if got := o.end(); got != nil {
		t.Errorf("after no group: got %v", got)
	}
	for w := range packed {
		o.next(group(w))
	}
	o.at = 0
	o.next(group(0))
	if next := o.next(group(1)); next[0].B != &packed[2] {
		t.Error("the third group does not follow the second")
	}
	if next := o.end(); next[0].B != &packed[0] {
		t.Error("the first group does not follow the end")
	}
	o.at = 0
	o.next(group(0))
	if next := o.next(group(1)); next[0].B != &packed[0] {
		t.Error("the first group does not follow the second")
	}
}
