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

// An attempt is what gives the checks of these names.
type attempt struct {
	names []string
	run   func(ctx context.Context) ([]check, error)
}

// one is an attempt at a single check.
func one(name string, run func(ctx context.Context) (check, error)) attempt {
	return attempt{[]string{name}, func(ctx context.Context) ([]check, error) {
		c, err := run(ctx)
		if err != nil {
			return nil, err
		}
		return []check{c}, nil
	}}
}

// attempts lists what the reference has tensors for; "alone" and "cached" have none of their own.
func (v *verifier) attempts() []attempt {
	var all []attempt
	for _, name := range v.named("logits") {
		all = append(all, one(name, func(ctx context.Context) (check, error) { return v.checkLogits(ctx, name) }))
	}
	if v.has("loss") {
		all = append(all, one("loss", v.checkLoss))
	}
	all = append(all, one("alone", v.checkAlone))
	for _, name := range v.named("gen.") {
		all = append(all, one(name, func(ctx context.Context) (check, error) { return v.checkTokens(ctx, name) }))
	}
	all = append(all, one("cached", v.checkCached))
	if len(v.named("grad.")) > 0 {
		all = append(all, one("grad", v.checkGradients))
	}
	if v.has("train.loss") {
		all = append(all, attempt{[]string{"train.loss", "train.grad"}, v.checkTrainMode})
	}
	if v.has("adam.losses") {
		all = append(all, attempt{[]string{"adam.losses", "adam.final"}, v.checkAdam})
	}
	return all
}

// run runs every check. One that ends with an error has failed, and the others go on: they may say more, of a wrong adapter say.
func (v *verifier) run(ctx context.Context) ([]check, error) {
	var checks []check
	for _, a := range v.attempts() {
		c, err := a.run(ctx)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		checks = append(checks, c...)
		if err != nil {
			nan := number(math.NaN())
			checks = append(checks, check{Name: a.names[len(c)], OK: new(false), MaxAbs: nan, MaxRel: nan, Reason: err.Error()})
		}
	}
	return append(checks, v.unsupported()...), nil
}

// unsupported lists the tensors of the reference that this build has no check for.
func (v *verifier) unsupported() []check {
	var checks []check
	for _, name := range v.file.Names() {
		c := check{Name: name, Reason: "unknown kind of tensor"}
		known := slices.Contains(inputs, name) || name == "loss" || slices.ContainsFunc([]string{"logits", "gen.", "grad.", "train.", "adam."}, func(prefix string) bool {
			return strings.HasPrefix(name, prefix)
		})
		if !known {
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
