package model

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/polytropon/polytropon/safetensors"
)

// folder returns the files of small as a folder.
func folder(t *testing.T) fstest.MapFS {
	var b bytes.Buffer
	if err := safetensors.Write(&b, slices.Collect(maps.Values(small.source(f32))), map[string]string{"format": "pt"}); err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{"config.json": {Data: small.text()}, "model.safetensors": {Data: b.Bytes()}}
}

func TestOpenFS(t *testing.T) {
	e, files := engine(t), folder(t)
	m, err := OpenFS(files, e)
	if err != nil {
		t.Fatal(err)
	}
	want := logits(t, small.open(t, e), batch[0])
	if got := logits(t, m, batch[0]); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, files); err != nil {
		t.Fatal(err)
	}
	if m, err = Open(dir, e); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil { // the model is in memory
		t.Fatal(err)
	}
	if got := logits(t, m, batch[0]); !slices.Equal(got, want) {
		t.Errorf("Open: got %v, want %v", got, want)
	}
}

// TestOpenTransformersFolder checks that the folder that transformers saved is the model that the reference was computed with.
func TestOpenTransformersFolder(t *testing.T) {
	e := engine(t)
	m, err := Open("testdata/t5", e)
	if err != nil {
		t.Fatal(err)
	}
	if want := logits(t, references(t)["t5"].Config.open(t, e), batch...); !slices.Equal(logits(t, m, batch...), want) {
		t.Error("other logits than those of its formulas")
	}
}

// To open a pipe can take for ever.
func TestPipes(t *testing.T) {
	for _, name := range []string{"config.json", "generation_config.json", "model.safetensors"} {
		files := folder(t)
		files[name] = &fstest.MapFile{Data: []byte("{}"), Mode: fs.ModeNamedPipe}
		if _, err := OpenFS(files, engine(t)); err == nil || !strings.Contains(err.Error(), name+": not a regular file, its mode is p") {
			t.Errorf("got %v", err)
		}
	}
}

// unreadable has files that open and cannot be read.
type unreadable struct{ fs.FS }

func (u unreadable) Open(name string) (fs.File, error) {
	f, err := u.FS.Open(name)
	return unreadableFile{f}, err
}

type unreadableFile struct{ fs.File }

func (unreadableFile) Read([]byte) (int, error) { return 0, errors.New("the disk is gone") }

func TestUnreadable(t *testing.T) {
	if _, err := OpenFS(unreadable{folder(t)}, engine(t)); err == nil || err.Error() != "model: config.json: the disk is gone" {
		t.Errorf("got %v", err)
	}
}

func TestMalformedFolders(t *testing.T) {
	e := engine(t)
	weights := folder(t)["model.safetensors"].Data
	for _, c := range []struct {
		name  string
		edit  func(f fstest.MapFS)
		is    error
		parts []string
	}{
		{"no config", func(f fstest.MapFS) { delete(f, "config.json") }, fs.ErrNotExist, []string{"config.json"}},
		{"config not JSON", func(f fstest.MapFS) { f["config.json"].Data = []byte("d_model: 16") }, nil, []string{"config.json: not a JSON object"}},
		{"empty config", func(f fstest.MapFS) { f["config.json"].Data = nil }, nil, []string{"config.json: not a JSON object"}},
		{"endless config", func(f fstest.MapFS) { f["config.json"].Data = bytes.Repeat([]byte(" "), 1<<24+1) }, nil,
			[]string{"config.json: got more than 16777216 bytes"}},
		{"no weights", func(f fstest.MapFS) { delete(f, "model.safetensors") }, fs.ErrNotExist, []string{"model.safetensors"}},
		{"pickle", func(f fstest.MapFS) {
			delete(f, "model.safetensors")
			f["pytorch_model.bin"] = &fstest.MapFile{Data: []byte("PK")}
		}, fs.ErrNotExist, []string{"model.safetensors", "pytorch_model.bin"}},
		{"empty weights", func(f fstest.MapFS) { f["model.safetensors"].Data = nil }, nil, []string{"model.safetensors"}},
		{"weights cut off", func(f fstest.MapFS) { f["model.safetensors"].Data = weights[:len(weights)-4] }, nil, []string{"model.safetensors"}},
		{"weights of another model", func(f fstest.MapFS) { f["config.json"].Data = small.with("d_ff", "25").text() }, nil,
			[]string{"tensor encoder.block.0.layer.1.DenseReluDense.", "got shape [16 24], want [16 25]"}},
	} {
		files := folder(t)
		c.edit(files)
		dir := t.TempDir()
		if err := os.CopyFS(dir, files); err != nil {
			t.Fatal(err)
		}
		_, err := OpenFS(files, e)
		_, dirErr := Open(dir, e)
		for _, err := range []error{err, dirErr} {
			if err == nil || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%s: got %v", c.name, err)
				continue
			}
			for _, part := range append(c.parts, "model: ") {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%s: got %v, want one with %q", c.name, err, part)
				}
			}
		}
		if dirErr != nil && !strings.HasPrefix(dirErr.Error(), dir) {
			t.Errorf("%s: got %v, want one that names the folder", c.name, dirErr)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none"), e); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: got %v", err)
	}
}

// FuzzOpenFS checks that whatever a folder holds, it opens or gives an error, and that what opens can be computed with.
func FuzzOpenFS(f *testing.F) {
	e := engine(f)
	read := func(name string) []byte {
		data, err := os.ReadFile("testdata/t5/" + name)
		if err != nil {
			f.Fatal(err)
		}
		return data
	}
	weights := read("model.safetensors")
	f.Add(read("config.json"), weights)
	for _, config := range []fields{
		small,
		small.with("model_type", `"umt5"`, "num_layers", "2147483647", "vocab_size", "2147483647", "d_model", "2147483647"),
		small.with("relative_attention_max_distance", "2147483647", "relative_attention_num_buckets", "1024"),
		small.with("layer_norm_epsilon", "1e-400", "feed_forward_proj", `"gated-gelu"`, "scale_decoder_outputs", "null"),
	} {
		f.Add(config.text(), weights)
	}
	f.Fuzz(func(t *testing.T, config, weights []byte) {
		m, err := OpenFS(fstest.MapFS{"config.json": {Data: config}, "model.safetensors": {Data: weights}}, e)
		if err != nil {
			if m != nil || !strings.HasPrefix(err.Error(), "model: ") {
				t.Errorf("got %v, %v", m, err)
			}
			return
		}
		if l, err := m.Logits(t.Context(), []Sequence{{InputIDs: []int{0}, DecoderInputIDs: []int{0, 0}}}); err != nil || l.Rows != 2 {
			t.Errorf("logits: got %v", err)
		}
	})
}
