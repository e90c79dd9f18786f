package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/safetensors"
)

// cases returns the folders of all cases that PEFT computed.
func cases(t *testing.T) []string {
	dirs, err := filepath.Glob("../../poly/testdata/peft-*/*")
	if err != nil || len(dirs) < 20 {
		t.Fatalf("found %d cases, %v", len(dirs), err)
	}
	return append(dirs, "testdata/t5-mhr")
}

func caseOf(dir string) folders {
	c := folders{model: folderAt(dir + "/base"), adapter: folderAt(dir + "/adapter"), reference: folderAt(dir), file: "reference.safetensors"}
	if _, err := os.Stat(dir + "/second"); err == nil {
		c.second = folderAt(dir + "/second")
	}
	return c
}

// Every level computes PEFT's numbers, and all of them the same bits, the best level with one thread and with two.
func TestReferences(t *testing.T) {
	for _, dir := range cases(t) {
		t.Run(filepath.Base(filepath.Dir(dir))+"/"+filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			var first []check
			for i, level := range mat.Levels() {
				for threads := 1; threads <= 2; threads++ {
					if threads == 1 && (i > 0 || level == "generic") {
						continue // package mat's tests compare numbers of threads on every level
					}
					e, err := mat.NewEngine(mat.Options{Level: level, Threads: threads})
					if err != nil {
						t.Fatal(err)
					}
					checks, err := caseOf(dir).verify(context.Background(), e)
					e.Close()
					if err != nil {
						t.Fatal(err)
					}
					checks = supported(checks)
					if len(checks) < 4 {
						t.Fatalf("only %d checks", len(checks))
					}
					for i, c := range checks {
						if !*c.OK {
							t.Errorf("%s, %d threads: %s: largest difference %g", level, threads, c.Name, float64(c.MaxAbs))
						}
						if first != nil && c.SHA256 != first[i].SHA256 {
							t.Errorf("%s, %d threads: %s: other bits than %s", level, threads, c.Name, mat.Levels()[0])
						}
					}
					if first == nil {
						first = checks
					}
				}
				if testing.Short() {
					break
				}
			}
		})
	}
}

func supported(checks []check) []check {
	var s []check
	for _, c := range checks {
		if c.OK != nil {
			s = append(s, c)
		}
	}
	return s
}

func verifyArgs(dir string, more ...string) []string {
	return append([]string{"verify", "-model", dir + "/base", "-adapter", dir + "/adapter", "-reference", dir + "/reference.safetensors"}, more...)
}

func TestVerifyJSON(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), verifyArgs("testdata/t5-mhr", "-json"), &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	type line struct {
		Check          string
		OK             *bool
		Elements       int
		SHA256, Reason string
	}
	checks := map[string]line{}
	for _, text := range lines {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		checks[l.Check] = l
	}
	// How much each check looks at: 35 rows of 256 logits, the tokens, 65 rows that are decoded, the adapter's parameters.
	for name, elements := range map[string]int{"logits": 8960, "logits_disabled": 8960, "logits_task.2": 8960, "loss": 1, "alone": 8960,
		"gen.beam4": 58, "cached": 16640, "grad": 12576, "train.loss": 1, "train.grad": 12576, "adam.losses": 10, "adam.final": 12576} {
		if l := checks[name]; l.OK == nil || !*l.OK || l.Elements != elements || len(l.SHA256) != 64 {
			t.Errorf("check %s: got %+v, want one of %d elements that is ok", name, l, elements)
		}
	}
	for _, name := range []string{"logits_second", "logits_both"} {
		if l, ok := checks[name]; !ok || l.OK != nil || l.Reason != "needs -second" {
			t.Errorf("check %s: got %+v, want it unsupported", name, l)
		}
	}
	if want := `{"result":"ok","passed":21,"failed":0,"unsupported":2}`; lines[len(lines)-1] != want {
		t.Errorf("last line: got %s, want %s", lines[len(lines)-1], want)
	}
	out.Reset()
	if err := run(t.Context(), verifyArgs("testdata/t5-mhr", "-second", "testdata/t5-mhr/second"), &out); err != nil || !strings.HasSuffix(out.String(), "\nok: 23 passed, 0 failed, 0 unsupported\n") {
		t.Errorf("with a second adapter: got %v and\n%s", err, out.String())
	}
}

// changedReference writes the reference of the example with other tensors and metadata. change keeps a tensor where it returns true.
func changedReference(t *testing.T, change func(x *safetensors.Tensor) bool, metadata map[string]string) string {
	f, err := safetensors.Open("testdata/t5-mhr/reference.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var tensors []safetensors.Tensor
	for _, name := range f.Names() {
		x, err := f.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		if change(&x) {
			tensors = append(tensors, x)
		}
	}
	all := maps.Clone(f.Metadata())
	maps.Copy(all, metadata)
	path := filepath.Join(t.TempDir(), "changed.safetensors")
	if err := safetensors.WriteFile(path, tensors, all); err != nil {
		t.Fatal(err)
	}
	return path
}

// A wrong value in a reference fails in the check that it concerns and in no other of its kind.
func TestVerifyFails(t *testing.T) {
	const q = ".base_model.model.encoder.block.0.layer.0.SelfAttention.q.poly_lora_A"
	worst := `"worst":"` + q[1:] + `"`
	for _, test := range []struct{ tensor, check, detail string }{
		{"logits", "logits", ""}, {"logits_disabled", "logits_disabled", ""}, {"logits_task.1", "logits_task.1", ""}, {"loss", "loss", ""},
		{"gen.beam3", "gen.beam3", `"reason":"sequence 0: got [`},
		{"grad" + q, "grad", worst}, {"train.loss", "train.loss", ""}, {"train.grad" + q, "train.grad", worst}, {"adam.losses", "adam.losses", ""},
		{"adam.final" + q, "adam.final", worst},
	} {
		t.Run(test.tensor, func(t *testing.T) {
			changes := 0
			kind, _, _ := strings.Cut(test.check, ".")
			wrong := changedReference(t, func(x *safetensors.Tensor) bool {
				if x.Name == test.tensor {
					changes++
					at := len(x.Data) - 1 // an exponent, or an id
					if x.DType == safetensors.I64 {
						at = 8
					}
					x.Data[at] ^= 0x40
				}
				return slices.Contains(inputs, x.Name) || strings.HasPrefix(x.Name, kind)
			}, nil)
			var out bytes.Buffer
			args := verifyArgs("testdata/t5-mhr", "-json", "-reference", wrong)
			if err := run(t.Context(), args, &out); changes != 1 || !errors.Is(err, errFailed) {
				t.Fatalf("%d changes: got error %v, want %v", changes, err, errFailed)
			}
			if n := strings.Count(out.String(), `"ok":false`); n != 1 || !strings.Contains(out.String(), `{"check":"`+test.check+`","ok":false`) {
				t.Errorf("got %d failed checks:\n%s", n, out.String())
			}
			if !strings.Contains(out.String(), test.detail) || !strings.Contains(out.String(), `{"result":"failed","passed":`) {
				t.Errorf("no %s or no failed result in\n%s", test.detail, out.String())
			}
		})
	}
}

// What a later PEFT may put into a reference is unsupported, which is no failure.
func TestVerifyUnsupported(t *testing.T) {
	for _, test := range []struct{ tensor, name, settings, reason string }{
		{"loss", "novel", "{}", "unknown kind of tensor"},
		{"logits_task.0", "logits_novel", "{}", "unknown kind of logits"},
		{"gen.beam3", "gen.novel", `{"max_new_tokens": 2, "novel": 1}`, "novel"},
		{"gen.beam3", "gen.novel", `{"max_new_tokens": 2, "num_beams": 2, "early_stopping": 7}`, "early_stopping: got 7"},
	} {
		reference := changedReference(t, func(x *safetensors.Tensor) bool {
			if x.Name == test.tensor {
				x.Name = test.name
			}
			return slices.Contains(inputs, x.Name) || x.Name == test.name
		}, map[string]string{test.name: test.settings})
		var out bytes.Buffer
		if err := run(t.Context(), verifyArgs("testdata/t5-mhr", "-json", "-reference", reference), &out); err != nil {
			t.Fatal(err)
		}
		if line := `{"check":"` + test.name + `","ok":null,`; !strings.Contains(out.String(), line) || !strings.Contains(out.String(), test.reason) ||
			!strings.HasSuffix(out.String(), `{"result":"ok","passed":2,"failed":0,"unsupported":1}`+"\n") {
			t.Errorf("%s: got\n%s", test.name, out.String())
		}
	}
}

// A table says what is wrong with tokens, as the JSON does.
func TestPrintChecks(t *testing.T) {
	no := false
	var out bytes.Buffer
	printChecks(&out, []check{{Name: "gen.greedy", OK: &no, Reason: "sequence 1: got [3], want [4]"}, {Name: "grad", OK: &no, Worst: "q.poly_lora_A"}, {Name: "x", Reason: "new"}})
	for _, want := range []string{"FAILED ", "sequence 1: got [3], want [4]\n", "q.poly_lora_A\n", "unsupported ", " new\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestVerifyErrors(t *testing.T) {
	dir := "testdata/t5-mhr"
	empty := changedReference(t, func(x *safetensors.Tensor) bool {
		if slices.Contains(inputs, x.Name) {
			x.Shape, x.Data, x.Size = append([]int{0}, x.Shape[1:]...), nil, 0
			return true
		}
		return false
	}, nil)
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"no flags", []string{"verify"}, "needs -model"},
		{"no adapter", []string{"verify", "-model", dir, "-reference", dir}, "needs -model"},
		{"unknown flag", verifyArgs(dir, "-loud"), "-loud"},
		{"unexpected argument", verifyArgs(dir, "more"), `"more"`},
		{"no such folder", verifyArgs("testdata/none"), "testdata/none/base: model: open config.json"},
		{"no such adapter", verifyArgs(dir, "-adapter", "testdata/none"), "testdata/none: poly: open adapter_config.json"},
		{"no such second adapter", verifyArgs(dir, "-second", "testdata/none"), "testdata/none: poly: open adapter_config.json"},
		{"no such reference", verifyArgs(dir, "-reference", "testdata/none/x"), "testdata/none: safetensors: open x"},
		{"no such level", verifyArgs(dir, "-level", "sse9"), "sse9"},
		{"negative threads", verifyArgs(dir, "-threads", "-2"), "-2"},
		{"an adapter as the base", verifyArgs(dir, "-model", dir+"/adapter"), "config.json"},
		{"a base as the adapter", verifyArgs(dir, "-adapter", dir+"/base"), "adapter_config.json"},
		{"another model's adapter", verifyArgs(dir, "-adapter", "../../poly/testdata/peft-0.21/t5-long/adapter"), "SelfAttention"},
		{"not a reference", verifyArgs(dir, "-reference", dir+"/base/model.safetensors"), dir + "/base/model.safetensors: safetensors"},
		{"no sequences", verifyArgs(dir, "-reference", empty), "tensor input_ids: got shape [0 12], want a matrix"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			err := run(t.Context(), test.args, &out)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line with %q", err, test.want)
			}
		})
	}
}

// A check that cannot be made has failed, and says why, while the others are made.
func TestVerifyGoesOn(t *testing.T) {
	settings := func(text string) string {
		return changedReference(t, func(x *safetensors.Tensor) bool { return slices.Contains(inputs, x.Name) || x.Name == "gen.beam3" },
			map[string]string{"gen.beam3": text})
	}
	without := func(key string) string {
		return changedReference(t, func(x *safetensors.Tensor) bool {
			return slices.Contains(inputs, x.Name) || (strings.HasPrefix(x.Name, "grad.") || strings.HasPrefix(x.Name, "train.")) && x.Name != key
		}, nil)
	}
	q := "base_model.model.encoder.block.0.layer.0.SelfAttention.q"
	for _, test := range []struct {
		name, reference, check, reason string
		passed                         int
	}{
		{"no settings", settings(""), "gen.beam3", `metadata: got ""`, 2},
		{"broken settings", settings(`{"max_new_tokens": 5} x`), "gen.beam3", `metadata: got "{`, 2},
		{"no tokens", settings("{}"), "gen.beam3", "generate: request 0: max_new_tokens: got 0", 2},
		{"no beams", settings(`{"max_new_tokens": 5, "num_beams": -3}`), "gen.beam3", "num_beams: got -3", 2},
		{"no gradient", without("grad." + q + ".poly_lora_A"), "grad", "no such tensor", 4},
		{"no gradient of the train mode", without("train.grad." + q + ".poly_lora_A"), "train.grad", "no such tensor", 4},
		{"no draw", without("train.uniform." + q + ".poly_router"), "train.loss", "no such tensor", 3},
	} {
		var out bytes.Buffer
		if err := run(t.Context(), verifyArgs("testdata/t5-mhr", "-json", "-reference", test.reference), &out); !errors.Is(err, errFailed) {
			t.Errorf("%s: got error %v, want %v", test.name, err, errFailed)
		}
		lines := strings.Split(out.String(), "\n")
		i := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, `"ok":false`) })
		var c check
		if i >= 0 {
			if err := json.Unmarshal([]byte(lines[i]), &c); err != nil {
				t.Fatal(err)
			}
		}
		if end := fmt.Sprintf(`{"result":"failed","passed":%d,"failed":1,"unsupported":0}`, test.passed); i < 0 || c.Name != test.check ||
			!strings.Contains(c.Reason, test.reason) || lines[len(lines)-2] != end {
			t.Errorf("%s: got\n%swant the check %s to fail with %q, and %s", test.name, out.String(), test.check, test.reason, end)
		}
	}
}

func TestCompare(t *testing.T) {
	for _, test := range []struct {
		got, want float32
		ok        bool
	}{
		{1, 1, true}, {1.00019, 1, true}, {1.00021, 1, false}, {0.00009, 0, true}, {-0.00011, 0, false}, {1000.1, 1000, true}, {1000.2, 1000, false},
	} {
		c, err := compare("x", []float32{test.got}, []float32{test.want})
		if err != nil || *c.OK != test.ok {
			t.Errorf("%g for %g: got ok %v, %v", test.got, test.want, *c.OK, err)
		}
	}
	nan := float32(math.NaN())
	for _, want := range []float32{1, nan} {
		if c, _ := compare("x", []float32{nan}, []float32{want}); *c.OK {
			t.Errorf("NaN for %g passes", want)
		}
	}
	if _, err := compare("x", []float32{1}, nil); err == nil {
		t.Error("another number of elements passes")
	}
	if got, want := digest([]float32{1, -2}), fmt.Sprintf("%x", sha256.Sum256([]byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0})); got != want {
		t.Errorf("digest: got %s, want %s", got, want)
	}
}
