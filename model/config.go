package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
)

// maxConfig bounds what is read of a config file. Most have a kilobyte, some a list of labels.
const maxConfig = 1 << 24

// configFile reads the fields of a config.json, or of an object in it. The first error is kept, with the name of its field.
type configFile struct {
	fields map[string]json.RawMessage
	err    error

	parent *configFile // nil at the top; it has the error of an object in it
	prefix string      // of the names of fields, as errors have them
}

func parseConfig(data []byte) (*configFile, error) {
	c := &configFile{}
	if err := json.Unmarshal(data, &c.fields); err != nil {
		return nil, fmt.Errorf("not a JSON object: %w", err)
	}
	if c.fields == nil {
		return nil, errors.New("not a JSON object: got null")
	}
	return c, nil
}

// has tells whether the field is there and not null.
func (c *configFile) has(name string) bool {
	v, ok := c.fields[name]
	return ok && string(v) != "null"
}

func (c *configFile) fail(name string, want string) {
	got := "nothing"
	if v, ok := c.fields[name]; ok {
		got = string(v)
	}
	root := c
	for root.parent != nil {
		root = root.parent
	}
	if root.err == nil {
		root.err = fmt.Errorf("field %s: got %.80s, want %s", c.prefix+name, got, want)
	}
}

// object returns the fields of an object in c. Absent or null means one without fields.
func (c *configFile) object(name string) *configFile {
	o := &configFile{parent: c, prefix: c.prefix + name + "."}
	if c.has(name) && json.Unmarshal(c.fields[name], &o.fields) != nil {
		c.fail(name, "an object")
	}
	return o
}

// size reads a positive integer that must be there.
func (c *configFile) size(name string) int {
	if !c.has(name) {
		c.fail(name, "a positive integer")
		return 1
	}
	return c.sizeOr(name, 1)
}

// maxSize bounds every size in a config, and the width of all heads together: what an int can hold on every machine.
const maxSize = math.MaxInt32

// sizeOr reads a positive integer; absent or null means def.
func (c *configFile) sizeOr(name string, def int) int {
	if !c.has(name) {
		return def
	}
	var n int
	if json.Unmarshal(c.fields[name], &n) != nil || n < 1 || n > maxSize {
		c.fail(name, fmt.Sprintf("an integer from 1 to %d", maxSize))
		return 1
	}
	return n
}

// checkWidth checks the width of so many heads, whose number is the field of the given name.
func (c *configFile) checkWidth(name string, heads, headSize int) {
	if most := maxSize / headSize; heads > most {
		c.fail(name, fmt.Sprintf("at most %d of size %d", most, headSize))
	}
}

// countOr reads an integer that is not negative; absent or null means def.
func (c *configFile) countOr(name string, def int) int {
	if string(c.fields[name]) == "0" {
		return 0
	}
	return c.sizeOr(name, def)
}

// floatOr reads a positive number; absent or null means def.
func (c *configFile) floatOr(name string, def float32) float32 {
	if !c.has(name) {
		return def
	}
	var x float32
	if json.Unmarshal(c.fields[name], &x) != nil || x <= 0 {
		c.fail(name, "a positive number that float32 holds")
		return 1
	}
	return x
}

// numberOr reads a number that is not negative; absent or null means def.
func (c *configFile) numberOr(name string, def float64) float64 {
	if !c.has(name) {
		return def
	}
	var x float64
	if json.Unmarshal(c.fields[name], &x) != nil || x < 0 || x > math.MaxFloat32 {
		c.fail(name, "a number ≥ 0 that float32 holds")
		return def
	}
	return x
}

// positive reads a positive number that must be there, and that float32 holds.
func (c *configFile) positive(name string) float64 {
	if x := c.numberOr(name, 0); float32(x) > 0 {
		return x
	}
	c.fail(name, "a positive number that float32 holds")
	return 1
}

// boolOr reads a boolean; absent or null means def.
func (c *configFile) boolOr(name string, def bool) bool {
	if !c.has(name) {
		return def
	}
	var b bool
	if json.Unmarshal(c.fields[name], &b) != nil {
		c.fail(name, "true or false")
	}
	return b
}

// textOr reads a string; absent or null means def.
func (c *configFile) textOr(name, def string) string {
	if !c.has(name) {
		return def
	}
	var s string
	if json.Unmarshal(c.fields[name], &s) != nil {
		c.fail(name, "a string")
	}
	return s
}

// oneOf reads a string that must be one of the given values.
func (c *configFile) oneOf(name, def string, values ...string) string {
	s := c.textOr(name, def)
	if !slices.Contains(values, s) {
		c.fail(name, fmt.Sprintf("one of %q", values))
	}
	return s
}
