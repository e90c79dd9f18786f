package tokenizer

import "encoding/json"

// parseNormalizers appends the steps of a normalizer; null has none.
func (c *compiler) parseNormalizers(field string, data json.RawMessage, steps []normalizer) ([]normalizer, error) {
	if data == nil {
		return steps, nil
	}
	o, err := parseObject(field, data)
	if err != nil {
		return nil, err
	}
	var n normalizer
	switch kind := o.step(len(steps)); kind {
	case "Sequence":
		err := parseList(o, "normalizers", func(field string, data json.RawMessage) (err error) {
			steps, err = c.parseNormalizers(field, data, steps)
			return err
		})
		return steps, err
	case "BertNormalizer":
		var clean, han, lower bool
		o.readNeeded("clean_text", &clean)
		o.readNeeded("handle_chinese_chars", &han)
		o.readNeeded("lowercase", &lower)
		accents := lower
		o.read("strip_accents", &accents)
		n = newBertNormalizer(clean, han, accents, lower)
	case "NFC":
		n = nfc()
	case "NFD":
		n = nfd()
	case "NFKC":
		n = nfkc()
	case "NFKD":
		n = nfkd()
	case "Nmt":
		n = nmt{}
	case "Lowercase":
		n = lowercase{lowerMap()}
	case "StripAccents":
		n = stripAccents()
	case "Strip":
		var s strip
		o.readNeeded("strip_left", &s.left)
		o.readNeeded("strip_right", &s.right)
		n = s
	case "Prepend":
		var s string
		o.readNeeded("prepend", &s)
		o.checkText("prepend", s)
		n = prepend(s)
	case "Replace":
		n = c.parseReplace(o)
	case "Precompiled":
		var data []byte
		o.readNeeded("precompiled_charsmap", &data)
		if o.err != nil {
			return nil, o.err
		}
		rules, err := newCharsmap(data)
		if err != nil {
			o.fail("precompiled_charsmap", "%s", err.(*FormatError).Reason)
		}
		n = precompiled{rules, graphemeTable()}
	default:
		o.fail("type", "got %s, which is not supported", quote(kind))
	}
	return append(steps, n), o.done()
}

func (c *compiler) parseReplace(o *object) replace {
	r := replace{pattern: c.parsePattern(o)}
	o.readNeeded("content", &r.by)
	o.checkText("content", r.by)
	return r
}
