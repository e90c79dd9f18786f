package model

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/polytropon/polytropon/nn"
)

// ropes are what testdata/rope.py recorded of transformers.
type ropes struct {
	Positions []int
	Cases     []struct {
		Config   json.RawMessage
		Inverse  []float32
		Cos, Sin [][]float32
	}
}

func readRopes(t *testing.T) (r ropes) {
	data, err := os.ReadFile("testdata/rope.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// ropeOf returns the rope that the fields of a config describe.
func ropeOf(t *testing.T, config []byte) rope {
	c, err := parseConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	size := c.sizeOr("head_dim", c.sizeOr("hidden_size", 64)/c.sizeOr("num_attention_heads", 2))
	r := readRope(c)
	if c.err != nil {
		t.Fatalf("%s: %v", config, c.err)
	}
	return newRope(r, size)
}

// TestRopeFrequencies compares with transformers', to the bit: angles at long positions need that.
func TestRopeFrequencies(t *testing.T) {
	r := readRopes(t)
	for _, c := range r.Cases {
		got := ropeOf(t, c.Config)
		if len(got.inverse) != len(c.Inverse) {
			t.Fatalf("%s: got %d frequencies, want %d", c.Config, len(got.inverse), len(c.Inverse))
		}
		for i, want := range c.Inverse {
			if got.inverse[i] != want {
				t.Errorf("%s: frequency %d: got %v, want %v", c.Config, i, got.inverse[i], want)
			}
		}
	}
}

// TestRopeTables compares cosines and sines with transformers', given its frequencies: angles are products rounded to float32, which shows at long
// positions.
func TestRopeTables(t *testing.T) {
	r := readRopes(t)
	for _, c := range r.Cases {
		got := ropeOf(t, c.Config)
		got.inverse = c.Inverse
		a := got.angles(nn.NewPass(engine(t)), r.Positions)
		for i, position := range r.Positions {
			for j := range c.Inverse {
				for _, x := range [][2]float32{{a.Cos.Row(i)[j], c.Cos[i][j]}, {a.Sin.Row(i)[j], c.Sin[i][j]}} {
					if math.Abs(float64(x[0]-x[1])) > 1.5e-7*float64(got.scale) {
						t.Fatalf("%s: position %d, pair %d: got %v, want %v", c.Config, position, j, x[0], x[1])
					}
				}
			}
		}
	}
}

// TestYarnAtTheEnds checks ramps without a width, ramps beyond the heads and by what cosines and sines are multiplied, as modeling_rope_utils.py does.
func TestYarnAtTheEnds(t *testing.T) {
	const fields = `"head_dim": 8, "original_max_position_embeddings": 1000, "rope_scaling": {"rope_type": "yarn", "type": "linear", "factor": `
	plain := ropeOf(t, []byte(`{"head_dim": 8}`)).inverse
	for _, c := range []struct {
		config  string
		divided int // the first pair that is
		by      float32
		scale   float64
	}{
		{`{` + fields + `4, "truncate": false, "beta_fast": 40, "beta_slow": 40}}`, 1, 4, 0.1*math.Log(4) + 1},
		{`{` + fields + `4, "beta_fast": 200, "beta_slow": 200}}`, 1, 4, 0.1*math.Log(4) + 1},
		{`{` + fields + `1.5, "truncate": false, "beta_fast": 40, "beta_slow": 40}}`, 1, 1.5, 0.1*math.Log(1.5) + 1},
		{`{` + fields + `0.5, "truncate": false, "beta_fast": 40, "beta_slow": 40}}`, 1, 0.5, 1},
		{`{` + fields + `4, "beta_fast": 1e-9, "beta_slow": 1e-9}}`, 0, 4, 0.1*math.Log(4) + 1},
		{`{` + fields + `4, "beta_fast": 1e-9, "beta_slow": 1e-9, "mscale": 2, "mscale_all_dim": 0.5}}`, 0, 4, (0.2*math.Log(4) + 1) / (0.05*math.Log(4) + 1)},
		{`{` + fields + `4, "beta_fast": 1e-9, "beta_slow": 1e-9, "mscale_all_dim": 2}}`, 0, 4, 0.1*math.Log(4) + 1},
		{`{` + fields + `4, "beta_fast": 1e-9, "beta_slow": 1e-9, "attention_factor": 3}}`, 0, 4, 3},
	} {
		r := ropeOf(t, []byte(c.config))
		for i, got := range r.inverse {
			want := plain[i]
			if i >= c.divided {
				want /= c.by
			}
			if !(math.Abs(float64(got/want)-1) < 1e-6) {
				t.Errorf("%s: frequency %d: got %v, want %v", c.config, i, got, want)
			}
		}
		if math.Abs(float64(r.scale)-c.scale) > 1e-6 {
			t.Errorf("%s: got the scale %v, want %v", c.config, r.scale, c.scale)
		}
	}
}

func TestRopeErrorsNameTheField(t *testing.T) {
	const positive, number, word = "a positive number that float32 holds", "a number ≥ 0 that float32 holds", "a string"
	types := `one of "default", "linear", "llama3" and "yarn"`
	for _, c := range [][3]string{
		{`{"rope_scaling": 4}`, "rope_scaling", "got 4, want an object"},
		{`{"rope_parameters": []}`, "rope_parameters", "got [], want an object"},
		{`{"rope_parameters": {"rope_type": 4}}`, "rope_parameters.rope_type", "got 4, want " + word},
		{`{"rope_parameters": {"rope_type": "su"}}`, "rope_parameters.rope_type", `got "su", want ` + types},
		{`{"rope_scaling": {"type": "su"}}`, "rope_scaling.type", `got "su", want ` + types},
		{`{"rope_scaling": {"type": "dynamic", "factor": 2}}`, "rope_scaling.type", `got "dynamic", want a type whose angles depend on the position alone: `},
		{`{"rope_parameters": {"rope_type": "longrope"}}`, "rope_parameters.rope_type", `got "longrope", want a type whose angles`},
		{`{"rope_theta": 0}`, "rope_theta", "got 0, want " + positive},
		{`{"rope_theta": -1}`, "rope_theta", "got -1, want " + number},
		{`{"rope_parameters": {"rope_theta": "1"}}`, "rope_parameters.rope_theta", `got "1", want ` + number},
		{`{"rope_parameters": {"rope_theta": 1e39}}`, "rope_parameters.rope_theta", `got 1e39, want ` + number},
		{`{"rope_parameters": {"rope_type": "linear"}}`, "rope_parameters.factor", "got nothing, want " + positive},
		{`{"rope_scaling": {"type": "linear", "factor": 0}}`, "rope_scaling.factor", "got 0, want " + positive},
		{`{"rope_parameters": {"partial_rotary_factor": 0.5}}`, "rope_parameters.partial_rotary_factor", "got 0.5, want 1"},
		{`{"rope_parameters": {"rope_type": "llama3", "factor": 2, "high_freq_factor": 4}}`, "rope_parameters.low_freq_factor", "got nothing, want " + positive},
		{`{"rope_parameters": {"rope_type": "llama3", "factor": 2, "low_freq_factor": 4, "high_freq_factor": 4}}`, "rope_parameters.high_freq_factor",
			"got 4, want more than low_freq_factor, 4"},
		{`{"rope_parameters": {"rope_type": "llama3", "factor": 2, "low_freq_factor": 1, "high_freq_factor": 4}}`, "max_position_embeddings",
			"got nothing, want a positive integer"},
		{`{"rope_parameters": {"rope_type": "yarn", "factor": 2, "original_max_position_embeddings": 1.5}}`,
			"rope_parameters.original_max_position_embeddings", "got 1.5, want an integer from 1 to 2147483647"},
		{`{"rope_theta": 1, "rope_scaling": {"type": "yarn", "factor": 2}, "max_position_embeddings": 9}`, "rope_theta", "got 1, want more than 1 with yarn"},
		{`{"rope_parameters": {"rope_type": "yarn", "factor": 2, "truncate": 1}, "max_position_embeddings": 9}`, "rope_parameters.truncate",
			"got 1, want true or false"},
	} {
		f, err := parseConfig([]byte(c[0]))
		if err != nil {
			t.Fatal(err)
		}
		readRope(f)
		if want := fmt.Sprintf("field %s: %s", c[1], c[2]); f.err == nil || !strings.HasPrefix(f.err.Error(), want) {
			t.Errorf("%s: got %v, want %s", c[0], f.err, want)
		}
	}
}
