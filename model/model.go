package model

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"

	"github.com/polytropon/polytropon/autodiff"
	"github.com/polytropon/polytropon/internal/smallfile"
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/safetensors"
)

// A Model is an opened base model. It is immutable and safe for concurrent use.
type Model struct {
	engine       *mat.Engine
	net          network
	architecture Architecture
	layers       map[nn.Layer]bool // all that modules lists
	special      special
	passes       sync.Pool // *nn.Pass
}

// A network is what one family of models computes.
type network interface {
	// describe returns what the model is.
	describe() Architecture
	// modules lists what torch's named_modules lists, in its order.
	modules() []nn.Module
	// check returns an error where s has not the tokens that the family takes.
	check(s *Sequence) error
	// hidden computes what the head is applied to, and says which of its rows belong to which sequence. The batch has been checked.
	hidden(ctx context.Context, p *nn.Pass, batch []Sequence) (autodiff.Value, nn.Ragged, error)
	// output returns the head.
	output() *nn.Linear

	// cacheShape returns of how many layers keys and values are kept of a sequence, and their heads.
	cacheShape() (layers, heads, headSize int)
	// prepare computes what the decoder takes from the inputs of requests, which are the pass's sequences.
	prepare(ctx context.Context, p *nn.Pass, requests []decoded) error
	// advance computes token by token what the head is applied to, for those of the new tokens whose logits are wanted.
	advance(ctx context.Context, p *nn.Pass, s *step) (mat.Matrix, error)
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
	data, err := smallfile.Read(fsys, "config.json", maxConfig)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	config, err := readConfig(data)
	if err != nil {
		return nil, err
	}
	special, err := readSpecial(data, fsys)
	if err != nil {
		return nil, err
	}
	f, err := safetensors.OpenFolder(fsys, "model")
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	m, err := load(config, special, f, e)
	return m, errors.Join(err, f.Close())
}

// New makes the model that config, the text of a config.json, describes, with tensors from source, some of whose memory it keeps (see [Source]). It computes
// on e.
func New(config []byte, source Source, e *mat.Engine) (*Model, error) {
	c, err := readConfig(config)
	if err != nil {
		return nil, err
	}
	special, err := readSpecial(config, nil)
	if err != nil {
		return nil, err
	}
	return load(c, special, source, e)
}

// A config is what a config.json says.
type config interface {
	// load makes the model from the loader's tensors. Where it fails the loader keeps the error.
	load(l *loader) network
}

func readConfig(data []byte) (config, error) {
	c, err := parseConfig(data)
	if err != nil {
		return nil, fmt.Errorf("model: config.json: %w", err)
	}
	var read config
	if t := c.oneOf("model_type", "", slices.Concat(t5Types, llamaTypes)...); slices.Contains(llamaTypes, t) {
		read = readLlamaConfig(c, t)
	} else {
		read = readT5Config(c, t)
	}
	if c.has("quantization_config") { // its tensors have other names, shapes or types
		c.fail("quantization_config", "none: quantised weights are not supported")
	}
	if c.err != nil {
		return nil, fmt.Errorf("model: config.json: %w", c.err)
	}
	return read, nil
}

func load(c config, s special, source Source, e *mat.Engine) (*Model, error) {
	l := &loader{engine: e, source: source, taken: map[string]bool{}}
	n := c.load(l)
	if err := l.finish(); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	a := n.describe()
	s.stop = slices.DeleteFunc(s.stop, func(id int) bool { return id >= a.Vocabulary }) // no token will be one
	m := &Model{engine: e, net: n, architecture: a, layers: map[nn.Layer]bool{}, special: s}
	for _, module := range n.modules() {
		m.layers[module.Layer] = true
	}
	m.passes.New = func() any { return nn.NewPass(e) }
	return m, nil
}

// Engine returns the engine on which the model computes.
func (m *Model) Engine() *mat.Engine { return m.engine }

// Type returns config.json's model_type.
func (m *Model) Type() string { return m.architecture.Type }

// Vocabulary returns the number of token ids, and of columns of the logits.
func (m *Model) Vocabulary() int { return m.architecture.Vocabulary }

// Architecture returns what the model is.
func (m *Model) Architecture() Architecture { return m.architecture }

// Modules lists the model's modules in the order and under the paths of torch's named_modules.
func (m *Model) Modules() []nn.Module { return m.net.modules() }
