package tokenizer

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// parseAdded reads the added tokens. As in the tokenizers package, one that the vocabulary has keeps the id it has there; the others are
// numbered on from the size of the vocabulary, whatever the file says.
func (p *pipeline) parseAdded(list []json.RawMessage) error {
	p.special = map[string]bool{}
	next := p.count
	byID := map[int]addedToken{}
	for i, data := range list {
		o, err := parseObject(fmt.Sprintf("added_tokens[%d]", i), data)
		if err != nil {
			return err
		}
		var t addedToken
		o.readNeeded("id", new(uint32))
		o.readNeeded("content", &t.Content)
		o.readNeeded("single_word", &t.SingleWord)
		o.readNeeded("lstrip", &t.LStrip)
		o.readNeeded("rstrip", &t.RStrip)
		o.readNeeded("normalized", &t.Normalized)
		o.readNeeded("special", &t.Special)
		if err := o.done(); err != nil {
			return err
		}
		if t.Content == "" {
			continue
		}
		id, known := p.ids[t.Content]
		if !known {
			id = next
			next++
			p.ids[t.Content] = id
		}
		t.ID = id
		byID[id] = t
		if t.Special {
			p.special[t.Content] = true
		}
	}
	p.count = next
	return p.addTokens(byID)
}

// addTokens makes the finders of added tokens, and these what their ids stand for.
func (p *pipeline) addTokens(byID map[int]addedToken) error {
	var tokens [2][]addedToken // as they are, normalized
	var texts [2][]string
	taken := [2]map[string]string{{}, {}}
	e := &encoder{p: p}
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		t := byID[id]
		kind, text := 0, t.Content
		if t.Normalized {
			normalized, _ := e.normalize([]byte(t.Content))
			kind, text = 1, string(normalized)
		}
		if text == "" {
			return fail("added_tokens", "got %s, of which the normalizer leaves nothing to look for", quote(t.Content))
		}
		if other, ok := taken[kind][text]; ok {
			return fail("added_tokens", "got %s, which is looked for as %s, as is %s", quote(t.Content), quote(text), quote(other))
		}
		taken[kind][text] = t.Content
		tokens[kind] = append(tokens[kind], t)
		texts[kind] = append(texts[kind], text)
		p.tokens[id] = text
	}
	p.raw, p.normalized = newFinder(tokens[0], texts[0]), newFinder(tokens[1], texts[1])
	return nil
}
