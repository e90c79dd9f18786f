package safetensors

import (
	"os"
	"testing"
)

func FuzzOpen(f *testing.F) {
	for _, c := range corpus() {
		if len(c.file) < 1<<16 {
			f.Add(c.file)
		}
	}
	for _, name := range []string{testFile, "testdata/adapter_f32.safetensors"} {
		content, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		file, err := openBytes(content)
		if err != nil {
			_ = err.Error()
			return
		}
		tensors, err := readAll(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, tensor := range tensors {
			tensor.Float32s()
			tensor.Float64s()
			tensor.Int64s()
			tensor.Uint16s()
		}
		if err := checkRoundTrip(file); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzIndex(f *testing.F) {
	f.Add(`{"metadata":{"total_size":4},"weight_map":{"a":"model-00001-of-00001.safetensors"}}`)
	f.Add(`{"weight_map":{"\u0061":"../x.safetensors"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		index, err := parseIndex(text)
		if err != nil {
			return
		}
		for i, l := range index {
			if checkPartName(l.part) != nil || i > 0 && index[i-1].tensor >= l.tensor {
				t.Errorf("accepted %q", l)
			}
		}
	})
}
