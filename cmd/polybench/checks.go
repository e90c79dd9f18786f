package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/poly"
)

// tolerance is the bar for every element: |got − want| ≤ tolerance + tolerance·|want|.
const tolerance = 1e-4

// verifier runs the checks of one reference.
type verifier struct {
	model           *model.Model
	adapter, second *poly.Adapter // second is nil where there is none
	*reference
}

// run runs every check that the reference has tensors for; "alone" has no tensor of its own.
func (v *verifier) run(ctx context.Context) ([]check, error) {
	var checks []check
	add := func(c check, err error) error {
		checks = append(checks, c)
		return err
	}
	for _, name := range v.named("logits") {
		if err := add(v.checkLogits(ctx, name)); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if v.has("loss") {
		if err := add(v.checkLoss(ctx)); err != nil {
			return nil, fmt.Errorf("loss: %w", err)
		}
	}
	if err := add(v.checkAlone(ctx)); err != nil {
		return nil, fmt.Errorf("alone: %w", err)
	}
	generated, err := v.checkGeneration(ctx)
	if err != nil {
		return nil, err
	}
	checks = append(checks, generated...)
	trained, err := v.checkTraining(ctx)
	if err != nil {
		return nil, err
	}
	checks = append(checks, trained...)
	return append(checks, v.unsupported()...), nil
}

// unsupported lists the checks that the reference has tensors for and this build can't run, a group of tensors as one.
func (v *verifier) unsupported() []check {
	var checks []check
	for _, name := range v.file.Names() {
		c := check{Name: name, Reason: "unknown kind of tensor"}
		known := slices.Contains(inputs, name) || name == "loss" || slices.ContainsFunc([]string{"logits", "gen.", "grad.", "train.", "adam."}, func(prefix string) bool {
			return strings.HasPrefix(name, prefix)
		})
		if !known && !slices.Contains(checks, c) {
			checks = append(checks, c)
		}
	}
	return checks
}

// batch returns the reference's batch, sequence i with the adapters that of(i) names.
func (v *verifier) batch(of func(i int) []nn.Adapter) []model.Sequence {
	b := make([]model.Sequence, len(v.inputs))
	for i := range b {
		b[i] = model.Sequence{InputIDs: v.inputs[i], DecoderInputIDs: v.decoder[i], Adapters: of(i)}
	}
	return b
}

// tasked is the batch with the first adapter, each sequence for its task.
func (v *verifier) tasked() []model.Sequence {
	return v.batch(func(i int) []nn.Adapter { return []nn.Adapter{v.adapter.Task(v.tasks[i])} })
}

// checkLogits compares the logits under the given name, which says with which adapters they were computed.
func (v *verifier) checkLogits(ctx context.Context, name string) (check, error) {
	var batch []model.Sequence
	needsSecond := name == "logits_second" || name == "logits_both"
	if needsSecond && v.second == nil {
		return check{Name: name, Reason: "needs -second"}, nil
	}
	switch {
	case name == "logits":
		batch = v.tasked()
	case name == "logits_disabled":
		batch = v.batch(func(int) []nn.Adapter { return nil })
	case name == "logits_second":
		batch = v.batch(func(i int) []nn.Adapter { return []nn.Adapter{v.second.Task(v.tasks[i])} })
	case name == "logits_both":
		batch = v.batch(func(i int) []nn.Adapter {
			return []nn.Adapter{v.adapter.Task(v.tasks[i]), v.second.Task(v.tasks[i])}
		})
	default:
		task, err := strconv.Atoi(strings.TrimPrefix(name, "logits_task."))
		if err != nil {
			return check{Name: name, Reason: "unknown kind of logits"}, nil
		}
		batch = v.batch(func(int) []nn.Adapter { return []nn.Adapter{v.adapter.Task(task)} })
	}
	got, err := v.model.Logits(ctx, batch)
	if err != nil {
		return check{}, err
	}
	return v.compareTensor(name, v.padded(got))
}

// checkLoss compares the mean cross entropy of the labels.
func (v *verifier) checkLoss(ctx context.Context) (check, error) {
	got, err := v.model.Logits(ctx, v.tasked())
	if err != nil {
		return check{}, err
	}
	if len(v.labels) != got.Rows {
		return check{}, fmt.Errorf("labels: got %d, want %d, one for each row of the logits", len(v.labels), got.Rows)
	}
	loss, err := nn.CrossEntropy(v.model.Engine(), got.Matrix, v.labels)
	if err != nil {
		return check{}, err
	}
	return v.compareTensor("loss", []float32{loss})
}

// checkAlone runs every sequence by itself and compares the bits with those in the batch.
func (v *verifier) checkAlone(ctx context.Context) (check, error) {
	batch := v.tasked()
	together, err := v.model.Logits(ctx, batch)
	if err != nil {
		return check{}, err
	}
	var alone []float32
	for i := range batch {
		l, err := v.model.Logits(ctx, batch[i:i+1])
		if err != nil {
			return check{}, err
		}
		alone = append(alone, l.Data...)
	}
	c, err := compare("alone", alone, together.Data)
	ok := c.SHA256 == digest(together.Data)
	c.OK = &ok
	return c, err
}

// compareTensor compares what was computed with the reference's tensor of that name.
func (v *verifier) compareTensor(name string, got []float32) (check, error) {
	want, err := v.floats(name)
	if err != nil {
		return check{}, err
	}
	return compare(name, got, want)
}

func compare(name string, got, want []float32) (check, error) {
	if len(got) != len(want) {
		return check{}, fmt.Errorf("computed %d values, the reference has %d", len(got), len(want))
	}
	c := check{Name: name, Elements: len(got), SHA256: digest(got)}
	ok := true
	for i, w := range want {
		diff, size := math.Abs(float64(got[i])-float64(w)), math.Abs(float64(w))
		if !(diff <= tolerance+tolerance*size) {
			ok = false
		}
		c.MaxAbs = number(math.Max(float64(c.MaxAbs), diff)) // math.Max keeps a NaN
		if diff != 0 {
			c.MaxRel = number(math.Max(float64(c.MaxRel), diff/size))
		}
	}
	c.OK = &ok
	return c, nil
}

// digest returns the SHA-256 of the little-endian bits of x, in hex.
func digest(x []float32) string {
	h := sha256.New()
	var b [4]byte
	for _, f := range x {
		binary.LittleEndian.PutUint32(b[:], math.Float32bits(f))
		h.Write(b[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}
