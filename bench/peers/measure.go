package main

import (
	"fmt"
	"math"
	"runtime/debug"

	"github.com/polytropon/polytropon/mat"
)

// A result is what a row gave.
type result struct {
	row     row
	threads int
	ours    samples            // in the row's unit per second
	share   samples            // of the ceiling that probes around each of our samples found
	cores   samples            // how many cores that ceiling is worth
	peers   map[string]samples // the rates of each peer that does this work
	skipped map[string]error   // why the others do not
}

// busy reports whether others used the cores so much that the rates of several threads say nothing: a library whose threads wait for each
// other loses far more than its share of time.
func (r *result) busy() bool { return len(r.cores) > 0 && r.cores.median() < 0.8*float64(r.threads) }

// measure compares the results of all peers with ours and then takes samples in turn: ours, a peer's, ours, the next one's.
func measure(r row, e *mat.Engine, peers []*peer, rounds int) (*result, error) {
	res := &result{row: r, threads: e.Threads(), peers: map[string]samples{}, skipped: map[string]error{}}
	products := map[*peer][]float32{} // before ours: a peer may write what we read
	for _, p := range peers {
		product, err := p.check(e.Threads(), r.job)
		if err != nil {
			res.skipped[p.name] = err
			continue
		}
		products[p] = product
	}
	if len(products) == 0 {
		return res, nil
	}
	run, own, err := r.ours(e)
	if err != nil {
		return nil, err
	}
	run()
	for p, product := range products {
		if err := compare(product, own(), r.tolerance); err != nil {
			res.skipped[p.name] = err
		}
	}
	clear(products)
	debug.FreeOSMemory() // else the runtime collects what is left of earlier rows, and gives it back, while samples are taken
	probe := newProbe(e)
	for range rounds {
		for _, p := range peers {
			if res.skipped[p.name] != nil {
				continue
			}
			before, cores1 := probe.ceiling()
			t := seconds(run)
			after, cores2 := probe.ceiling()
			res.ours = append(res.ours, r.work/t)
			res.share = append(res.share, r.flops/t/((before+after)/2))
			res.cores = append(res.cores, (cores1+cores2)/2)
			if t, err = p.time(e.Threads(), r.job); err != nil {
				delete(res.peers, p.name)
				res.skipped[p.name] = err
				continue
			}
			res.peers[p.name] = append(res.peers[p.name], r.work/t)
		}
	}
	return res, nil
}

// A wrongResult says how a peer's result differs from ours.
type wrongResult string

func (e wrongResult) Error() string { return string(e) }

// compare returns an error unless every element of got is as close to that of want as the tolerance, a share of the largest element,
// allows.
func compare(got, want []float32, tolerance float64) error {
	if len(got) != len(want) {
		return wrongResult(fmt.Sprintf("wrong: %d values, ours has %d", len(got), len(want)))
	}
	var largest, worst float64
	at := 0
	for i, w := range want {
		largest = max(largest, math.Abs(float64(w)))
		d := math.Abs(float64(got[i]) - float64(w))
		if math.IsNaN(d) {
			d = math.Inf(1)
		}
		if d > worst {
			worst, at = d, i
		}
	}
	if worst > tolerance*largest {
		return wrongResult(fmt.Sprintf("wrong: value %d is %g, ours is %g", at, got[at], want[at]))
	}
	return nil
}
