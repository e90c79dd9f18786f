package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/polytropon/polytropon/mat"
)

// samples are rates, of which the table shows the median.
type samples []float64

// quantile returns the sample below which a share q of the others lie, or 0 where there is none.
func (s samples) quantile(q float64) float64 {
	if len(s) == 0 {
		return 0
	}
	x := float64(len(s)-1) * q
	i := int(x)
	sorted := slices.Sorted(slices.Values(s))
	return sorted[i] + (x-float64(i))*(sorted[min(i+1, len(s)-1)]-sorted[i])
}

func (s samples) median() float64 { return s.quantile(0.5) }

// best returns the peer with the highest median, and how much faster than it we are.
func (r *result) best() (name string, ratio float64) {
	top := 0.0
	for n, s := range r.peers {
		if m := s.median(); m > top {
			name, top = n, m
		}
	}
	if name == "" {
		return "", 0
	}
	return name, r.ours.median() / top
}

// wrong returns how many peers computed something else.
func (r *result) wrong() int {
	n := 0
	for _, err := range r.skipped {
		if errors.As(err, new(wrongResult)) {
			n++
		}
	}
	return n
}

// A printer writes results as they come, as a table for each number of threads or as JSON.
type printer struct {
	w     io.Writer
	json  *json.Encoder // nil for tables
	peers []*peer
}

// newPrinter starts with what each peer is, or why it is missing.
func newPrinter(w io.Writer, asJSON bool, peers []*peer) *printer {
	p := &printer{w: w, peers: peers}
	if asJSON {
		p.json = json.NewEncoder(w)
	}
	for _, x := range peers {
		switch {
		case asJSON:
			p.json.Encode(struct {
				Peer        string `json:"peer"`
				Description string `json:"description,omitempty"`
				Missing     string `json:"missing,omitempty"`
			}{x.name, x.description, x.missing})
		case x.missing != "":
			fmt.Fprintf(w, "%-9s missing: %s\n", x.name, x.missing)
		default:
			fmt.Fprintf(w, "%-9s %s\n", x.name, x.description)
		}
	}
	return p
}

func (p *printer) heading(e *mat.Engine) {
	if p.json != nil {
		return
	}
	fmt.Fprintf(p.w, "\n%-25s %-8s %8s %6s", fmt.Sprintf("threads %d, level %s", e.Threads(), e.Level()), "unit", "ours", "share")
	for _, x := range p.peers {
		fmt.Fprintf(p.w, " %8s", x.name)
	}
	fmt.Fprintf(p.w, "  ratio to the best\n")
}

func (p *printer) result(r *result) {
	best, ratio := r.best()
	if p.json != nil {
		p.json.Encode(r.object(best, ratio))
		return
	}
	fmt.Fprintf(p.w, "%-25s %-8s ", r.row.name(), r.row.unit)
	if len(r.ours) > 0 {
		fmt.Fprintf(p.w, "%8.4g", r.ours.median())
	} else {
		fmt.Fprintf(p.w, "%8s", "–")
	}
	if len(r.ours) > 0 && r.row.flops > 0 {
		fmt.Fprintf(p.w, " %5.1f%%", 100*r.share.median())
	} else {
		fmt.Fprintf(p.w, " %6s", "–")
	}
	for _, x := range p.peers {
		switch s, ok := r.peers[x.name]; {
		case ok:
			fmt.Fprintf(p.w, " %8.4g", s.median())
		case errors.As(r.skipped[x.name], new(wrongResult)):
			fmt.Fprintf(p.w, " %8s", "WRONG")
		default:
			fmt.Fprintf(p.w, " %8s", "–")
		}
	}
	if best != "" {
		fmt.Fprintf(p.w, "  %5.2f %s", ratio, best)
	}
	if r.busy() {
		fmt.Fprintf(p.w, "  INVALID: others left %.1f of %d cores", r.cores.median(), r.threads)
	}
	fmt.Fprintln(p.w)
}

// A rate is how JSON shows samples.
type rate struct {
	Median  float64 `json:"median"`
	P75     float64 `json:"p75"`
	Samples int     `json:"samples"`
}

func (s samples) rate() rate { return rate{s.median(), s.quantile(0.75), len(s)} }

// An object is how JSON shows a result.
type object struct {
	Kind    string            `json:"kind"`
	Shape   string            `json:"shape"`
	Threads int               `json:"threads"`
	Unit    string            `json:"unit"` // of the rates
	Ours    rate              `json:"ours"`
	Share   float64           `json:"share,omitempty"` // of the ceiling
	Cores   float64           `json:"cores"`           // idle cores that the ceiling is worth
	Invalid bool              `json:"invalid"`         // others used the cores
	Peers   map[string]rate   `json:"peers"`
	Skipped map[string]string `json:"skipped,omitempty"`
	Best    string            `json:"best"`
	Ratio   float64           `json:"ratio"` // of the medians, ours to the best peer's
}

func (r *result) object(best string, ratio float64) object {
	o := object{
		Kind: r.row.kind, Shape: r.row.shape, Threads: r.threads, Unit: r.row.unit, Ours: r.ours.rate(), Share: r.share.median(),
		Cores: r.cores.median(), Invalid: r.busy(), Peers: map[string]rate{}, Skipped: map[string]string{}, Best: best, Ratio: ratio,
	}
	for name, s := range r.peers {
		o.Peers[name] = s.rate()
	}
	for name, err := range r.skipped {
		o.Skipped[name] = err.Error()
	}
	return o
}
