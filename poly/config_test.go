package poly

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// realConfigs returns files that PEFT 0.8 and 0.21 wrote, by their name without extension.
func realConfigs(t testing.TB) map[string][]byte {
	paths, err := filepath.Glob("testdata/config/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatal("no testdata", err)
	}
	configs := map[string][]byte{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		configs[strings.TrimSuffix(filepath.Base(path), ".json")] = data
	}
	return configs
}

func TestRealConfigs(t *testing.T) {
	for name, data := range realConfigs(t) {
		c, err := ParseConfig(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, err := c.Marshal(); string(got) != string(data) || err != nil {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, data)
		}
		want := Format018
		if strings.HasPrefix(name, "peft-0.8-") {
			want = Format082
		}
		if c.Format != want || c.Unknown() != nil {
			t.Errorf("%s: format %d with unknown keys %v", name, c.Format, c.Unknown())
		}
	}
}

func TestParseConfig(t *testing.T) {
	got, err := ParseConfig([]byte(`{
		"task_type": null, "peft_type": "POLY", "auto_mapping": {"parent_library": "__main__", "base_model_class": "MLP"},
		"peft_version": "0.20.1.dev0@UNKNOWN", "base_model_name_or_path": "modèle \ud83d\ude00", "revision": "main", "inference_mode": true,
		"r": 1, "target_modules": "q|v", "exclude_modules": ["k"], "modules_to_save": [], "init_weights": false, "poly_type": "poly",
		"n_tasks": 2, "n_skills": 3, "n_splits": 4}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		PEFTType: "POLY", AutoMapping: map[string]any{"parent_library": "__main__", "base_model_class": "MLP"},
		PEFTVersion: new("0.20.1.dev0@UNKNOWN"), BaseModel: new("modèle 😀"), Revision: new("main"), InferenceMode: true,
		R: 1, TargetModules: ModulePattern("q|v"), ExcludeModules: ModuleNames("k"), ModulesToSave: []string{}, PolyType: "poly",
		NTasks: 2, NSkills: 3, NSplits: 4, unknown: map[string]any{},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestParseConfigDefaults(t *testing.T) {
	got, err := ParseConfig([]byte(`{"peft_type": "POLY"}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{PEFTType: "POLY", R: 8, InitWeights: true, PolyType: "poly", NTasks: 1, NSkills: 4, NSplits: 1} // tuners/poly/config.py
	if c := NewConfig(); !reflect.DeepEqual(c, want) {
		t.Errorf("NewConfig: got %+v, want %+v", c, want)
	}
	want.Format, want.unknown = Format082, map[string]any{}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestParseConfigUnknown(t *testing.T) {
	const text = `{"zeta": [1.50, {"b": 1, "a": null}], "peft_type": "POLY", "exclude_modules": null, "lora_alpha": 16}`
	c, err := ParseConfig([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Unknown(); !slices.Equal(got, []string{"lora_alpha", "zeta"}) {
		t.Errorf("got %v", got)
	}
	written, err := c.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"\n  \"lora_alpha\": 16,\n", "\"zeta\": [\n    1.50,\n    {\n      \"a\": null,\n      \"b\": 1\n    }\n  ]\n}"} {
		if !strings.Contains(string(written), part) {
			t.Errorf("%q is missing from %s", part, written)
		}
	}
	if c.Format != Format014 || strings.Contains(string(written), "peft_version") {
		t.Errorf("a config without peft_version was written with it: %s", written)
	}
}

func TestParseConfigErrors(t *testing.T) {
	const ok = `"peft_type": "POLY", `
	for _, c := range []struct{ text, want string }{
		{`[]`, "got a list, want an object"},
		{`{}`, "peft_type: got no such key"},
		{`{"peft_type": "LORA"}`, `peft_type: got "LORA", want "POLY"`},
		{`{"peft_type": null}`, "peft_type: got null, want a string"},
		{`{` + ok + `"poly_type": "mhr"}`, `poly_type: got "mhr", want "poly"`},
		{`{` + ok + `"r": 0}`, "r: got 0, want a positive integer"},
		{`{` + ok + `"r": -1}`, "r: got -1"},
		{`{` + ok + `"r": 8.0}`, "r: got 8.0, want an integer"},
		{`{` + ok + `"r": 1e3}`, "r: got 1e3"},
		{`{` + ok + `"r": "8"}`, `r: got "8", want an integer`},
		{`{` + ok + `"r": true}`, "r: got true"},
		{`{` + ok + `"r": null}`, "r: got null"},
		{`{` + ok + `"r": 99999999999999999999}`, "r: got 99999999999999999999"},
		{`{` + ok + `"r": NaN}`, "invalid character 'N'"},
		{`{` + ok + `"r": 8, "r": 8}`, "r: got a duplicate key"},
		{`{` + ok + `"n_tasks": 0}`, "n_tasks: got 0"},
		{`{` + ok + `"n_skills": 0}`, "n_skills: got 0"},
		{`{` + ok + `"n_splits": 0}`, "n_splits: got 0"},
		{`{` + ok + `"r": 65536, "n_skills": 65536}`, "r·n_skills·n_splits: got 65536·65536·1, want at most 2147483647"},
		{`{` + ok + `"n_tasks": 2147483647, "n_splits": 2147483647}`, "n_skills·n_splits: got"},
		{`{` + ok + `"n_tasks": 2147483647, "n_skills": 2}`, "n_tasks·n_skills·n_splits: got"},
		{`{` + ok + `"init_weights": 1}`, "init_weights: got 1, want true or false"},
		{`{` + ok + `"inference_mode": null}`, "inference_mode: got null"},
		{`{` + ok + `"target_modules": 1}`, "target_modules: got 1, want a list of names, a pattern or null"},
		{`{` + ok + `"target_modules": ["q", 1]}`, "target_modules: got a list whose item 1 is 1"},
		{`{` + ok + `"exclude_modules": {}}`, "exclude_modules: got an object"},
		{`{` + ok + `"modules_to_save": "lm_head"}`, `modules_to_save: got "lm_head", want a list of names or null`},
		{`{` + ok + `"modules_to_save": [""]}`, "modules_to_save: got an empty name"},
		{`{` + ok + `"revision": 1}`, "revision: got 1, want a string or null"},
		{`{` + ok + `"auto_mapping": []}`, "auto_mapping: got a list, want an object or null"},
		{`{` + ok + `"task_type": "FOO", "exclude_modules": null}`, `task_type: got "FOO", want null or one of SEQ_CLS`},
		{`{` + ok + `"r": 8} x`, "byte 31: "},
	} {
		_, err := ParseConfig([]byte(c.text))
		if err == nil || strings.LastIndex(err.Error(), "poly: config: ") != 0 || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want %s", c.text, err, c.want)
		}
	}
	if _, err := ParseConfig([]byte(`{` + ok + `"r": 2147483647, "n_tasks": 2147483647, "n_skills": 1}`)); err != nil {
		t.Errorf("the largest sizes: %v", err)
	}
	_, err := ParseConfig([]byte(`{` + ok + `"r": "8"}`))
	if e, isConfig := errors.AsType[*ConfigError](err); !isConfig || e.Field != "r" {
		t.Errorf("got %#v, want a ConfigError of r", err)
	}
	if _, err := ParseConfig([]byte(`{` + ok + `"task_type": "FOO"}`)); err != nil {
		t.Errorf("PEFT 0.8 wrote any task type: %v", err)
	}
}

func TestMarshalFormats(t *testing.T) {
	c := NewConfig()
	c.PEFTVersion = new("0.21.2")
	c.TargetModules = ModuleNames()
	for format, want := range map[Format]int{Format018: 16, Format014: 15, Format082: 14} {
		c.Format = format
		text, err := c.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(string(text), "\n") - 1; got != want {
			t.Errorf("format %d: got %d keys, want %d: %s", format, got, want, text)
		}
		read, err := ParseConfig(text)
		if err != nil {
			t.Fatal(err)
		}
		if read.Format != format || read.TargetModules.IsNull() {
			t.Errorf("read back as format %d, target modules %v", read.Format, read.TargetModules)
		}
	}
	c.ExcludeModules = ModuleNames("k")
	c.Format = Format082
	if _, err := c.Marshal(); err == nil || !strings.Contains(err.Error(), `exclude_modules: got ["k"]`) {
		t.Errorf("exclude_modules in the format of 0.8.2: got error %v", err)
	}
	if _, err := new(Config).Marshal(); err == nil {
		t.Error("the zero config was written")
	}
}

func FuzzParseConfig(f *testing.F) {
	for _, data := range realConfigs(f) {
		f.Add(data)
	}
	f.Add([]byte(`{"peft_type": "POLY", "auto_mapping": {"b": [1.5, "\ud83d\ude00"], "a": {}}, "new": -0.0}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseConfig(data)
		if err != nil {
			return
		}
		text, err := c.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseConfig(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !reflect.DeepEqual(again, c) {
			t.Fatalf("got %+v, want %+v", again, c)
		}
	})
}
