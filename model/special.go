package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/polytropon/polytropon/internal/smallfile"
)

// special holds the token ids that generation needs.
type special struct {
	stop                  []int // eos_token_id
	start, begin, padding int   // decoder_start_token_id, bos_token_id, pad_token_id; -1: none
}

// StopIDs returns the ids that end a sequence (eos_token_id), as generation_config.json says, else config.json, but those that the vocabulary does not have;
// nil where neither does.
func (m *Model) StopIDs() []int { return slices.Clone(m.special.stop) }

// StartID returns the id with which the decoder of an encoder-decoder model begins (decoder_start_token_id, else bos_token_id, else pad_token_id, each as
// generation_config.json says, else config.json); -1 where there is none.
func (m *Model) StartID() int {
	for _, id := range []int{m.special.start, m.special.begin, m.special.padding} {
		if id >= 0 {
			return id
		}
	}
	return -1
}

// PadID returns the id that stands where there is no token (pad_token_id, as generation_config.json says, else config.json); -1 where there is none.
func (m *Model) PadID() int { return m.special.padding }

// readSpecial reads the ids from the text of config.json and from fsys's generation_config.json, if there is one. What the latter has counts.
func readSpecial(config []byte, fsys fs.FS) (special, error) {
	s := special{start: -1, begin: -1, padding: -1}
	if err := s.read("config.json", config); err != nil || fsys == nil {
		return s, err
	}
	data, err := smallfile.Read(fsys, "generation_config.json", maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("model: %w", err)
	}
	return s, s.read("generation_config.json", data)
}

func (s *special) read(name string, data []byte) error {
	c, err := parseConfig(data)
	if err != nil {
		return fmt.Errorf("model: %s: %w", name, err)
	}
	if c.has("eos_token_id") {
		s.stop = slices.DeleteFunc(c.ids("eos_token_id"), func(id int) bool { return id < 0 })
	}
	for _, f := range []struct {
		name string
		id   *int
	}{{"decoder_start_token_id", &s.start}, {"bos_token_id", &s.begin}, {"pad_token_id", &s.padding}} {
		if c.has(f.name) {
			*f.id = max(-1, c.ids(f.name)[0])
		}
	}
	if c.err != nil {
		return fmt.Errorf("model: %s: %w", name, c.err)
	}
	return nil
}

// ids reads a token id or a list of them, at least one. A negative id, which some files have, means none.
func (c *configFile) ids(name string) []int {
	one := make([]int, 1)
	if json.Unmarshal(c.fields[name], &one[0]) == nil {
		return one
	}
	var list []*int // nil for null
	if json.Unmarshal(c.fields[name], &list) != nil || len(list) == 0 || slices.Contains(list, nil) {
		c.fail(name, "a token id or a list of them")
		return one
	}
	ids := make([]int, len(list))
	for i, id := range list {
		ids[i] = *id
	}
	return ids
}
