package tokenizer

import (
	"encoding/json"
	"unicode/utf8"
)

// parseSplitters appends the steps of a pre-tokenizer; null has none.
func (c *compiler) parseSplitters(field string, data json.RawMessage, steps []splitter) ([]splitter, error) {
	if data == nil {
		return steps, nil
	}
	o, err := parseObject(field, data)
	if err != nil {
		return nil, err
	}
	properties := properties()
	punctuation := oneOf(func(r rune) bool {
		return properties.at(r)&isPunctuation != 0
	})
	switch kind := o.step(len(steps)); kind {
	case "Sequence":
		err := parseList(o, "pretokenizers", func(field string, data json.RawMessage) (err error) {
			steps, err = c.parseSplitters(field, data, steps)
			return err
		})
		return steps, err
	case "BertPreTokenizer":
		steps = append(steps, whitespaceSplit{}, splitAt{punctuation, isolated, false})
	case "WhitespaceSplit":
		steps = append(steps, whitespaceSplit{})
	case "Whitespace":
		steps = append(steps, splitAt{words{properties}, removed, true})
	case "ByteLevel":
		b := byteLevel{pattern: gpt2{charClasses()}}
		use := true
		o.readNeeded("add_prefix_space", &b.space)
		o.readNeeded("trim_offsets", new(bool))
		o.read("use_regex", &use)
		if !use {
			b.pattern = nil
		}
		steps = append(steps, b)
	case "Metaspace":
		m := parseMetaspace(o)
		steps = append(steps, m)
	case "Punctuation":
		b := isolated
		if _, ok := o.values["behavior"]; ok {
			b = parseBehavior(o)
		}
		steps = append(steps, splitAt{punctuation, b, false})
	case "Digits":
		var single bool
		o.readNeeded("individual_digits", &single)
		b := contiguous
		if single {
			b = isolated
		}
		steps = append(steps, splitAt{oneOf(func(r rune) bool {
			if r < utf8.RuneSelf {
				return '0' <= r && r <= '9'
			}
			return properties.at(r)&isNumeric != 0
		}), b, false})
	case "Split":
		s := splitAt{pattern: c.parsePattern(o), behavior: parseBehavior(o)}
		o.readNeeded("invert", &s.invert)
		steps = append(steps, s)
	case "CharDelimiterSplit":
		steps = append(steps, splitAt{literal(o.readChar("delimiter")), removed, false})
	default:
		o.fail("type", "got %s, which is not supported", quote(kind))
	}
	return steps, o.done()
}

func parseBehavior(o *object) behavior {
	return behavior(o.readOneOf("behavior", "Removed", "Isolated", "Contiguous", "MergedWithPrevious", "MergedWithNext"))
}

// parseMetaspace reads a Metaspace, which is a pre-tokenizer or a decoder. Older files say add_prefix_space instead of prepend_scheme.
func parseMetaspace(o *object) metaspace {
	m := metaspace{mark: o.readChar("replacement"), prepend: prependAlways, each: true}
	_, scheme := o.values["prepend_scheme"]
	if scheme {
		m.prepend = o.readOneOf("prepend_scheme", "never", "first", "always")
	}
	prefix := true
	if o.read("add_prefix_space", &prefix); !prefix {
		if scheme && m.prepend != prependNever {
			o.fail("add_prefix_space", "got false, want true with this prepend_scheme")
		}
		m.prepend = prependNever
	}
	o.read("split", &m.each)
	o.take("str_rep")
	return m
}
