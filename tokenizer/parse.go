package tokenizer

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// parsePipeline reads a tokenizer.json.
func parsePipeline(data []byte) (*pipeline, error) {
	if !utf8.Valid(data) {
		return nil, fail("", "got text that is not UTF-8")
	}
	o, err := parseObject("", data)
	if err != nil {
		return nil, err
	}
	version := "1.0"
	if o.read("version", &version); version != "1.0" {
		o.fail("version", "got %s, want \"1.0\"", quote(version))
	}
	checkTruncation(o)
	checkPadding(o)
	var added []json.RawMessage
	o.read("added_tokens", &added)
	normalizer, split, post, decoder := o.take("normalizer"), o.take("pre_tokenizer"), o.take("post_processor"), o.take("decoder")
	model := o.need("model")
	if err := o.done(); err != nil {
		return nil, err
	}
	p, c := &pipeline{}, &compiler{}
	if p.normalizers, err = c.parseNormalizers("normalizer", normalizer, nil); err != nil {
		return nil, err
	}
	if p.split, err = c.parseSplitters("pre_tokenizer", split, nil); err != nil {
		return nil, err
	}
	byteLevel, err := checkByteLevel(p.split)
	if err != nil {
		return nil, err
	}
	if err := p.parseModel(model, byteLevel); err != nil {
		return nil, err
	}
	if err := p.parseAdded(added); err != nil {
		return nil, err
	}
	if err := p.parsePostProcessor("post_processor", post); err != nil {
		return nil, err
	}
	if p.decoder, err = c.parseDecoder(decoder); err != nil {
		return nil, err
	}
	return p, nil
}

// checkTruncation reads the section, which is not applied: batches are ragged.
func checkTruncation(file *object) {
	data := file.take("truncation")
	if data == nil {
		return
	}
	o, err := parseObject("truncation", data)
	if err != nil {
		file.err = err
		return
	}
	var n uint
	o.read("direction", new(string))
	o.readNeeded("max_length", &n)
	o.readOneOf("strategy", "LongestFirst", "OnlyFirst", "OnlySecond")
	o.readNeeded("stride", &n)
	if err := o.done(); err != nil {
		file.err = err
	}
}

// checkPadding reads the section, which is not applied either.
func checkPadding(file *object) {
	data := file.take("padding")
	if data == nil {
		return
	}
	o, err := parseObject("padding", data)
	if err != nil {
		file.err = err
		return
	}
	var n uint
	o.need("strategy")
	o.readOneOf("direction", "Right", "Left")
	o.read("pad_to_multiple_of", &n)
	o.readNeeded("pad_id", &n)
	o.readNeeded("pad_type_id", &n)
	o.readNeeded("pad_token", new(string))
	if err := o.done(); err != nil {
		file.err = err
	}
}

// checkByteLevel reports whether the last step is ByteLevel, and refuses steps after one: they would see characters that stand for bytes.
func checkByteLevel(steps []splitter) (bool, error) {
	for i, s := range steps {
		if _, ok := s.(byteLevel); ok {
			if i < len(steps)-1 {
				return false, fail("pre_tokenizer", "got a step after ByteLevel, which is not supported")
			}
			return true, nil
		}
	}
	return false, nil
}

// maxNested is how many Sequences can be within each other; each takes time in proportion to all within it. So many does the tokenizers package read.
const maxNested = 62

// parseList reads an array of objects.
func parseList(o *object, key string, each func(field string, data json.RawMessage) error) error {
	if strings.Count(o.field, "[") >= maxNested {
		o.fail(key, "got more than %d lists within each other", maxNested)
	}
	var list []json.RawMessage
	o.readNeeded(key, &list)
	if err := o.done(); err != nil {
		return err
	}
	for i, data := range list {
		if err := each(fmt.Sprintf("%s[%d]", o.path(key), i), data); err != nil {
			return err
		}
	}
	return nil
}

// parsePattern reads {"String": …} or {"Regex": …}.
func (c *compiler) parsePattern(of *object) pattern {
	o, err := parseObject(of.path("pattern"), of.need("pattern"))
	if err != nil {
		of.fail("pattern", "got neither String nor Regex")
		return nil
	}
	var text, expression *string
	o.read("String", &text)
	o.read("Regex", &expression)
	var p pattern
	switch {
	case text != nil && *text != "" && expression == nil:
		p = literal(*text)
	case expression != nil && text == nil:
		if p, err = c.compile(*expression); err != nil {
			o.fail("Regex", "%v", err)
		}
	default:
		o.fail("", "want a String that is not empty or a Regex")
	}
	if err := o.done(); err != nil && of.err == nil {
		of.err = err
	}
	return p
}
