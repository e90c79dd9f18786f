package tokenizer

import "encoding/json"

// parseDecoder returns what makes the steps of a decoder. Without one, tokens are joined with spaces.
func (c *compiler) parseDecoder(data json.RawMessage) ([]func() step, error) {
	if data == nil {
		return []func() step{func() step { return &spaced{} }}, nil
	}
	d := decoderParser{compiler: c}
	if err := d.parse("decoder", data); err != nil {
		return nil, err
	}
	return d.steps, nil
}

type decoderParser struct {
	*compiler
	steps []func() step
	fused bool // the tokens are one text by now
}

func (d *decoderParser) parse(field string, data json.RawMessage) error {
	o, err := parseObject(field, data)
	if err != nil {
		return err
	}
	kind := o.step(len(d.steps))
	if d.fused && kind != "Strip" && kind != "Fuse" && kind != "Sequence" {
		o.fail("type", "got %s after a step that joins all tokens, which is not supported", quote(kind))
	}
	var make func() step
	switch kind {
	case "Sequence":
		return parseList(o, "decoders", d.parse)
	case "ByteLevel":
		for _, key := range []string{"add_prefix_space", "trim_offsets", "use_regex"} {
			o.read(key, new(bool))
		}
		of := charBytes()
		make = func() step { return &byteLevelDecoder{bytes: of} }
		d.fused = true
	case "Fuse":
		d.fused = true
		return o.done()
	case "ByteFallback":
		make = func() step { return &byteFallbackDecoder{} }
	case "Metaspace":
		m := parseMetaspace(o)
		make = func() step { return &metaspaceDecoder{mark: m.mark, prepend: m.prepend} }
	case "WordPiece":
		var prefix string
		var cleanup bool
		o.readNeeded("prefix", &prefix)
		o.readNeeded("cleanup", &cleanup)
		make = func() step { return &wordPieceDecoder{prefix: prefix, cleanup: cleanup} }
	case "Replace":
		r := d.parseReplace(o)
		make = func() step { return &replaceDecoder{replace: r} }
	case "Strip":
		char := o.readChar("content")
		var start, stop uint32
		o.readNeeded("start", &start)
		o.readNeeded("stop", &stop)
		if d.fused {
			make = func() step { return &stripText{char: char, start: start, stop: stop} }
		} else {
			make = func() step { return &stripDecoder{char: char, start: start, stop: stop} }
		}
	default:
		o.fail("type", "got %s, which is not supported", quote(kind))
	}
	d.steps = append(d.steps, make)
	return o.done()
}
