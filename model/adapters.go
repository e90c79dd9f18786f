package model

import (
	"fmt"

	"github.com/polytropon/polytropon/nn"
)

// deltas returns what the adapters of a sequence change. An adapter that was made for another model would have no effect here, and is an error.
func (m *Model) deltas(adapters []nn.Adapter) ([]*nn.Delta, error) {
	var deltas []*nn.Delta
	for i, a := range adapters {
		if a == nil {
			return nil, fmt.Errorf("adapter %d: got nil", i)
		}
		d, err := a.Delta()
		if err != nil {
			return nil, err
		}
		if d == nil {
			return nil, fmt.Errorf("adapter %d: its Delta is nil", i)
		}
		if !m.has(d) {
			return nil, fmt.Errorf("adapter %d: got one that was made for another model, want one for this", i)
		}
		deltas = append(deltas, d)
	}
	return deltas, nil
}

// has tells whether all layers that d changes are the model's.
func (m *Model) has(d *nn.Delta) bool {
	for layer := range d.LowRank {
		if !m.layers[layer] {
			return false
		}
	}
	for layer := range d.Replaced {
		if !m.layers[layer] {
			return false
		}
	}
	return true
}
