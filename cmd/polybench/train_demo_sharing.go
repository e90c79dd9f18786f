package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/poly"
)

// overlaps returns how much of their weights two tasks share, tasks × tasks: the sum over the skills of the smaller weight, which is 1 where they use the
// same skills alike and 0 where they use different ones; the mean over all modules and splits.
func overlaps(e *mat.Engine, a *poly.Adapter) [][]float64 {
	tasks := a.Config().NTasks
	shared := make([][]float64, tasks)
	for i := range shared {
		shared[i] = make([]float64, tasks)
	}
	layers := a.Layers()
	for _, l := range layers {
		weights := make([]mat.Matrix, tasks)
		for i := range weights {
			weights[i] = l.Router.Weights(e, i)
		}
		for i, row := range shared {
			for j := range row {
				for k, w := range weights[i].Data {
					row[j] += float64(min(w, weights[j].Data[k])) / float64(l.Router.Splits*len(layers))
				}
			}
		}
	}
	return shared
}

// printSharing prints the overlaps of all tasks, and their means by what tasks have in common.
func printSharing(w io.Writer, shared [][]float64) {
	fmt.Fprintf(w, "\nhow much of their weights two tasks share, mean of all modules and splits\n")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "task\t")
	for j := range shared {
		fmt.Fprintf(t, "%d\t", j)
	}
	fmt.Fprintln(t)
	for i, row := range shared {
		fmt.Fprintf(t, "%d\t", i)
		for _, x := range row {
			fmt.Fprintf(t, "%.2f\t", x)
		}
		fmt.Fprintln(t)
	}
	t.Flush()
	neither := func(i, j int) bool { return !sameCipher(i, j) && !sameMarks(i, j) }
	fmt.Fprintf(w, "mean of two tasks with the same cipher %.2f, with the same marks %.2f, with neither %.2f\n",
		meanSharing(shared, sameCipher), meanSharing(shared, sameMarks), meanSharing(shared, neither))
}

func sameCipher(i, j int) bool { return toyTasks[i].cipher == toyTasks[j].cipher }

func sameMarks(i, j int) bool { return toyTasks[i].marks == toyTasks[j].marks }

// meanSharing returns the mean overlap of the pairs of different tasks that are chosen.
func meanSharing(shared [][]float64, chosen func(i, j int) bool) float64 {
	sum, n := 0.0, 0.0
	for i := range shared {
		for j := range i {
			if chosen(i, j) {
				sum += shared[i][j]
				n++
			}
		}
	}
	return sum / n
}
