package poly

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// A Model is a base model with named adapters. It is safe for concurrent use: calls that are under way keep the adapters that they
// began with. Which of them a sequence uses is said by each call, through [Adapter.Task].
type Model struct {
	base     Base
	mu       sync.RWMutex
	adapters map[string]*Adapter
}

// NewModel returns a model without adapters.
func NewModel(base Base) *Model { return &Model{base: base, adapters: map[string]*Adapter{}} }

// Load opens the folder dir, as [Open] does, and adds it as the adapter name. Where it fails nothing changes.
func (m *Model) Load(name, dir string) (*Adapter, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	a, err := Open(dir, m.base)
	if err != nil {
		return nil, err
	}
	return a, m.Add(name, a)
}

// Add keeps a, which was opened, made or trained for the model's base (requests refuse one for another), as the adapter name, in place of one of that name. A
// name is not empty and has no dots, as in PEFT.
func (m *Model) Add(name string, a *Adapter) error {
	if err := checkName(name); err != nil {
		return err
	}
	if a == nil {
		return fmt.Errorf("poly: adapter %q: got nil", name)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.adapters[name] = a
	return nil
}

func checkName(name string) error {
	if name == "" || strings.Contains(name, ".") {
		return fmt.Errorf("poly: adapter name: got %q, want a name without dots", name)
	}
	return nil
}

// Adapter returns the adapter of that name, or an error that lists the names that there are.
func (m *Model) Adapter(name string) (*Adapter, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	a, ok := m.adapters[name]
	if !ok {
		return nil, fmt.Errorf("poly: adapter: got %q, want one of %q", name, slices.Sorted(maps.Keys(m.adapters)))
	}
	return a, nil
}

// Names returns the names of the adapters, sorted.
func (m *Model) Names() []string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Sorted(maps.Keys(m.adapters))
}

// Delete forgets the adapter of that name, if there is one.
func (m *Model) Delete(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.adapters, name)
}
