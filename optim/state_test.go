package optim

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/safetensors"
)

// newAdafactorOf returns an optimiser with tensors of every kind, after one step.
func newAdafactorOf(t testing.TB) *Adafactor {
	t.Helper()
	params := []*autodiff.Param{
		autodiff.NewParam("cube", []int{2, 3, 2}, make([]float32, 12)),
		autodiff.NewParam("bias", []int{2}, make([]float32, 2)),
	}
	params[0].Grad.Data[1], params[1].Grad.Data[0] = 1, 1
	o := DefaultAdafactor()
	o.Beta1 = 0.9
	a, err := NewAdafactor([]Group{{Params: params}}, o)
	if err != nil {
		t.Fatal(err)
	}
	e, err := mat.NewEngine(mat.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	a.Step(e, 1)
	return a
}

func encode(t testing.TB, tensors []safetensors.Tensor) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := safetensors.Write(&b, tensors, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestStateNames(t *testing.T) {
	var got []string
	for _, s := range newAdafactorOf(t).State() {
		got = append(got, s.Name)
		if s.Size == 0 || s.Size != int64(len(s.Data)) {
			t.Errorf("%s: got a size of %d for %d bytes", s.Name, s.Size, len(s.Data))
		}
	}
	want := []string{"step", "cube.exp_avg", "cube.exp_avg_sq_row", "cube.exp_avg_sq_col", "bias.exp_avg", "bias.exp_avg_sq"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestStateIsACopy changes what State returned.
func TestStateIsACopy(t *testing.T) {
	a := newAdafactorOf(t)
	before := encode(t, a.State())
	for _, s := range a.State() {
		for i := range s.Data {
			s.Data[i] ^= 0xff
		}
		for i := range s.Shape {
			s.Shape[i]++
		}
	}
	if !bytes.Equal(encode(t, a.State()), before) {
		t.Error("got another state, want the same")
	}
}

func TestSetStateErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(tensors []safetensors.Tensor) []safetensors.Tensor
		want   string
	}{
		{"none", func(s []safetensors.Tensor) []safetensors.Tensor { return nil }, `tensor "step" is missing, want I64 of shape []`},
		{"missing", func(s []safetensors.Tensor) []safetensors.Tensor { return s[:5] }, `tensor "bias.exp_avg_sq" is missing, want F32 of shape [2]`},
		{"twice", func(s []safetensors.Tensor) []safetensors.Tensor { return append(s, s[1]) }, `got tensor "cube.exp_avg" twice`},
		{"unknown", func(s []safetensors.Tensor) []safetensors.Tensor {
			return append(s, safetensors.Tensor{Info: safetensors.Info{Name: "other.exp_avg"}})
		}, `got tensor "other.exp_avg", want only`},
		{"shape", func(s []safetensors.Tensor) []safetensors.Tensor {
			s[1].Shape = []int{3, 2, 2}
			return s
		}, `tensor "cube.exp_avg": got shape [3 2 2], want [2 3 2]`},
		{"type", func(s []safetensors.Tensor) []safetensors.Tensor {
			s[2].DType = safetensors.I32
			return s
		}, `tensor "cube.exp_avg_sq_row": got I32, want F32`},
		{"short", func(s []safetensors.Tensor) []safetensors.Tensor {
			s[3].Data = s[3].Data[1:]
			return s
		}, `tensor "cube.exp_avg_sq_col"`},
		{"short step", func(s []safetensors.Tensor) []safetensors.Tensor {
			s[0].Data = s[0].Data[1:]
			return s
		}, `tensor "step"`},
		{"negative step", func(s []safetensors.Tensor) []safetensors.Tensor {
			s[0].Data = bytes.Repeat([]byte{0xff}, 8)
			return s
		}, `tensor "step": got -1, want`},
		{"too many steps", func(s []safetensors.Tensor) []safetensors.Tensor {
			s[0].Data = binary.LittleEndian.AppendUint64(nil, 1<<31)
			return s
		}, `tensor "step": got 2147483648, want a number of steps from 0 to 2147483647`},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newAdafactorOf(t)
			before := encode(t, a.State())
			changed := a.State()
			changed[0].Data[0]++
			changed[1].Data[0]++
			err := a.SetState(c.change(changed))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want one with %q", err, c.want)
			}
			if !bytes.Equal(encode(t, a.State()), before) {
				t.Error("got another state after the error, want the same")
			}
		})
	}
}

// TestFileErrors wants the path in every error.
func TestFileErrors(t *testing.T) {
	a := newAdafactorOf(t)
	dir := t.TempDir()
	other := filepath.Join(dir, "other.safetensors")
	if err := safetensors.WriteFile(other, a.State()[1:], nil); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(dir, "broken.safetensors")
	if err := os.WriteFile(broken, []byte("not a file of tensors"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{other, broken, filepath.Join(dir, "missing.safetensors")} {
		if err := Load(path, a); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("load: got error %v, want one that names %s", err, path)
		}
	}
	path := filepath.Join(dir, "no folder", "x.safetensors")
	if err := Save(path, a); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("save: got error %v, want one that names %s", err, path)
	}
}

// FuzzLoad reads any file: an error leaves the state as it was, and success makes it the file's.
func FuzzLoad(f *testing.F) {
	a := newAdafactorOf(f)
	f.Add(encode(f, a.State()))
	f.Add(encode(f, a.State()[1:]))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := safetensors.NewReader(bytes.NewReader(data), int64(len(data)), "fuzz")
		if err != nil {
			return
		}
		a := newAdafactorOf(t)
		before := encode(t, a.State())
		err = load(file, "fuzz", a)
		after := a.State()
		if err != nil {
			if !bytes.Equal(encode(t, after), before) {
				t.Errorf("got another state after %v, want the same", err)
			}
			return
		}
		for _, s := range after {
			want, err := file.Tensor(s.Name)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(s.Data, want.Data) {
				t.Errorf("%s: got % x, want % x", s.Name, s.Data, want.Data)
			}
		}
	})
}
