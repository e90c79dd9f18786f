package train

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/polytropon/polytropon/internal/atomicfile"
	"github.com/polytropon/polytropon/internal/smallfile"
)

// A Position is how far a run is.
type Position struct {
	Step      int     `json:"step"`      // steps so far
	Epoch     int     `json:"epoch"`     // of the next example, 0 the first
	Example   int     `json:"example"`   // the next one's number in the epoch
	Tokens    int64   `json:"tokens"`    // that all steps took
	Evaluated int     `json:"evaluated"` // the step of the last evaluation, 0: none
	BestStep  int     `json:"best_step"` // the step of the best evaluation, 0: none
	BestLoss  float64 `json:"best_loss"` // what it found
}

const positionName = "position.json"

// maxPosition bounds what is read of a file. A position has some 200 bytes.
const maxPosition = 1 << 16

func (p *Position) text() ([]byte, error) {
	data, err := json.MarshalIndent(p, "", "  ")
	return append(data, '\n'), err
}

// save writes p to a file in the folder dir, in place of one that is there.
func (p *Position) save(dir string) error {
	data, err := p.text()
	if err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(dir, positionName), data)
}

// readPosition reads what save wrote to the folder dir.
func readPosition(dir string) (Position, error) {
	data, err := smallfile.Read(os.DirFS(dir), positionName, maxPosition)
	if err != nil {
		return Position{}, fmt.Errorf("%s: %w", dir, err)
	}
	p, err := parsePosition(data)
	if err != nil {
		return Position{}, fmt.Errorf("%s: %w", filepath.Join(dir, positionName), err)
	}
	return p, nil
}

func parsePosition(data []byte) (p Position, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return p, err
	}
	if _, err := d.Token(); err != io.EOF {
		return p, errors.New("got more after the object, want nothing")
	}
	for _, f := range []struct {
		name        string
		value, most int
	}{
		{"step", p.Step, maxSteps}, {"epoch", p.Epoch, maxSteps}, {"example", p.Example, int(^uint(0) >> 1)},
		{"evaluated", p.Evaluated, p.Step}, {"best_step", p.BestStep, p.Evaluated},
	} {
		if f.value < 0 || f.value > f.most {
			return p, fmt.Errorf("field %s: got %d, want 0 ≤ %s ≤ %d", f.name, f.value, f.name, f.most)
		}
	}
	if p.Tokens < 0 {
		return p, fmt.Errorf("field tokens: got %d, want ≥ 0", p.Tokens)
	}
	return p, checkComplete(data)
}

// checkComplete returns an error if data lacks a field of a position: a run must not go on from a 0 that nobody wrote.
func checkComplete(data []byte) error {
	var fields map[string]*json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return err
	}
	for _, name := range []string{"step", "epoch", "example", "tokens", "evaluated", "best_step", "best_loss"} {
		if fields[name] == nil { // or null
			return fmt.Errorf("field %s is missing", name)
		}
	}
	return nil
}

// maxSteps is how many steps an optimiser's state can have.
const maxSteps = 1<<31 - 1
