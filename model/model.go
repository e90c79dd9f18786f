package model

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/safetensors"
)

// A Model is an opened base model. It is immutable and safe for concurrent use.
type Model struct {
	engine *mat.Engine
	t5     *t5
	passes sync.Pool // *nn.Pass
}

// Open opens the folder dir that transformers wrote: config.json, and model.safetensors or model.safetensors.index.json with its
// parts. The model is then in memory; it computes on e, which it does not close. Errors name the folder and the file, the tensor or the field;
// they wrap [fs.ErrNotExist] where a file is not there.
func Open(dir string, e *mat.Engine) (*Model, error) {
	m, err := OpenFS(os.DirFS(dir), e)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return m, nil
}

// OpenFS is Open for a folder in any file system.
func OpenFS(fsys fs.FS, e *mat.Engine) (*Model, error) {
	data, err := readConfigFile(fsys)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	config, err := readConfig(data)
	if err != nil {
		return nil, err
	}
	f, err := safetensors.OpenFolder(fsys, "model")
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	m, err := load(config, f, e)
	return m, errors.Join(err, f.Close())
}

// New makes the model that config, the text of a config.json, describes, with tensors from source. It computes on e.
func New(config []byte, source Source, e *mat.Engine) (*Model, error) {
	c, err := readConfig(config)
	if err != nil {
		return nil, err
	}
	return load(c, source, e)
}

func readConfig(data []byte) (t5Config, error) {
	c, err := parseConfig(data)
	if err != nil {
		return t5Config{}, fmt.Errorf("model: config.json: %w", err)
	}
	config := readT5Config(c, c.oneOf("model_type", "", "t5", "mt5", "umt5"))
	if c.err != nil {
		return t5Config{}, fmt.Errorf("model: config.json: %w", c.err)
	}
	return config, nil
}

func load(c t5Config, source Source, e *mat.Engine) (*Model, error) {
	l := &loader{engine: e, source: source, taken: map[string]bool{}}
	t := newT5(c, l)
	if err := l.finish(); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	m := &Model{engine: e, t5: t}
	m.passes.New = func() any { return nn.NewPass(e) }
	return m, nil
}

// Engine returns the engine on which the model computes.
func (m *Model) Engine() *mat.Engine { return m.engine }

// Type returns config.json's model_type.
func (m *Model) Type() string { return m.t5.Type }

// Vocabulary returns the number of token ids, and of columns of the logits.
func (m *Model) Vocabulary() int { return m.t5.Vocabulary }

// Modules lists the model's modules in the order and under the paths of torch's named_modules.
func (m *Model) Modules() []nn.Module { return m.t5.modules() }
