package model

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/safetensors"
)

func engine(t testing.TB) *mat.Engine {
	e, err := mat.NewEngine(mat.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// fields are those of a config.json, each in JSON.
type fields map[string]string

// small has the fields that a config must have.
var small = fields{"model_type": `"t5"`, "vocab_size": "13", "d_model": "16", "d_kv": "4", "d_ff": "24", "num_heads": "3", "num_layers": "2"}

// with returns f with the fields of other, pairs of a name and its JSON; "" takes the field out.
func (f fields) with(other ...string) fields {
	f = maps.Clone(f)
	for i := 0; i < len(other); i += 2 {
		if f[other[i]] = other[i+1]; other[i+1] == "" {
			delete(f, other[i])
		}
	}
	return f
}

func (f fields) text() []byte {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(f)) {
		lines = append(lines, fmt.Sprintf("%q: %s", name, f[name]))
	}
	return []byte("{" + strings.Join(lines, ", ") + "}")
}

// tensors is a Source whose values come from a formula.
type tensors map[string]safetensors.Tensor

func (s tensors) Names() []string { return slices.Collect(maps.Keys(s)) }

func (s tensors) Info(name string) (safetensors.Info, bool) {
	t, ok := s[name]
	return t.Info, ok
}

func (s tensors) Tensor(name string) (safetensors.Tensor, error) { return s[name], nil }

// without returns s with neither of the names.
func (s tensors) without(names ...string) tensors {
	s = maps.Clone(s)
	for _, name := range names {
		delete(s, name)
	}
	return s
}

// with returns s with other tensors.
func (s tensors) with(other ...safetensors.Tensor) tensors {
	s = maps.Clone(s)
	for _, t := range other {
		s[t.Name] = t
	}
	return s
}

// tensor returns a tensor with the values that testdata/reference.py gives to a parameter of this name, in a dtype that holds them exactly.
func tensor(name string, dtype safetensors.DType, shape ...int) safetensors.Tensor {
	t := safetensors.Tensor{Info: safetensors.Info{Name: name, DType: dtype, Shape: shape}}
	n, seed := 1, 0
	for _, d := range shape {
		n *= d
	}
	for _, c := range []byte(name) {
		seed += int(c)
	}
	for i := range n {
		x := float64((i*i+7*i*len(name)+seed)%23-11) / 32
		if strings.Contains(name, "norm") {
			x = 1 + x/4
		}
		bits := math.Float32bits(float32(x))
		switch dtype {
		case safetensors.F32:
			t.Data = binary.LittleEndian.AppendUint32(t.Data, bits)
		case safetensors.F64:
			t.Data = binary.LittleEndian.AppendUint64(t.Data, math.Float64bits(x))
		case safetensors.BF16:
			t.Data = binary.LittleEndian.AppendUint16(t.Data, uint16(bits>>16))
		case safetensors.F16: // the exponent's bias is 15, not 127
			half := uint16(bits>>31)<<15 | uint16(bits>>13)&0x3ff | uint16(bits>>23&0xff-112)<<10
			if x == 0 {
				half = 0
			}
			t.Data = binary.LittleEndian.AppendUint16(t.Data, half)
		default:
			t.Data = append(t.Data, make([]byte, dtype.Bits()/8)...)
		}
	}
	t.Size = int64(len(t.Data))
	return t
}

// source returns the tensors that f implies, without lm_head.
func (f fields) source(dtype safetensors.DType) tensors {
	var c struct {
		Type    string `json:"model_type"`
		V       int    `json:"vocab_size"`
		D       int    `json:"d_model"`
		KV      int    `json:"d_kv"`
		FF      int    `json:"d_ff"`
		H       int    `json:"num_heads"`
		Encoder int    `json:"num_layers"`
		Decoder int    `json:"num_decoder_layers"`
		Feed    string `json:"feed_forward_proj"`
		Buckets int    `json:"relative_attention_num_buckets"`
	}
	if err := json.Unmarshal(f.text(), &c); err != nil {
		panic(err)
	}
	if c.Decoder == 0 {
		c.Decoder = c.Encoder
	}
	if c.Buckets == 0 {
		c.Buckets = 32
	}
	s := tensors{}
	add := func(name string, shape ...int) {
		t := tensor(name+".weight", dtype, shape...)
		s[t.Name] = t
	}
	add("shared", c.V, c.D)
	for stack, layers := range map[string]int{"encoder": c.Encoder, "decoder": c.Decoder} {
		add(stack+".final_layer_norm", c.D)
		for i := range layers {
			sublayers := []string{"SelfAttention", "EncDecAttention", "DenseReluDense"}
			if stack == "encoder" {
				sublayers = slices.Delete(sublayers, 1, 2)
			}
			for j, name := range sublayers {
				layer := fmt.Sprintf("%s.block.%d.layer.%d.", stack, i, j)
				add(layer+"layer_norm", c.D)
				path := layer + name + "."
				switch {
				case name != "DenseReluDense":
					for _, l := range []string{"q", "k", "v"} {
						add(path+l, c.H*c.KV, c.D)
					}
					add(path+"o", c.D, c.H*c.KV)
					if name == "SelfAttention" && (i == 0 || c.Type == "umt5") {
						add(path+"relative_attention_bias", c.Buckets, c.H)
					}
				case strings.HasPrefix(c.Feed, "gated-") || c.Feed == "" && c.Type != "t5":
					add(path+"wi_0", c.FF, c.D)
					add(path+"wi_1", c.FF, c.D)
					add(path+"wo", c.D, c.FF)
				default:
					add(path+"wi", c.FF, c.D)
					add(path+"wo", c.D, c.FF)
				}
			}
		}
	}
	return s
}

// open returns the model of f with tensors of its own.
func (f fields) open(t testing.TB, e *mat.Engine) *Model {
	t.Helper()
	m, err := New(f.text(), f.source(safetensors.F32), e)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// fails checks that New gives exactly this error.
func fails(t *testing.T, config []byte, source Source, want string) {
	t.Helper()
	m, err := New(config, source, engine(t))
	if err == nil || err.Error() != want || m != nil {
		t.Errorf("got %v, want %s", err, want)
	}
}
