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

// Normalizers can make much of little: forty that double an a make 2⁴⁰ of it. While a file is opened there are bounds.
const (
	maxText    = 1000    // bytes of an added token before and after each step; also of what a step puts in one place
	maxWorking = 1 << 25 // … of all together after all steps
)

// normalizeToken applies all normalizers to an added token. left is how many bytes they may make in all.
func (e *encoder) normalizeToken(token string, left *int) (string, error) {
	text := []byte(token)
	for i := range e.p.normalizers {
		if len(text) <= maxText {
			text, _ = e.normalizeStep(i, text)
		}
		if len(text) > maxText {
			return "", fail("added_tokens", "got %s, which has more than %d bytes when it is normalized", quote(token), maxText)
		}
		if *left -= len(text); *left < 0 {
			return "", fail("added_tokens", "the normalizer's steps make more than %d bytes of them", maxWorking)
		}
	}
	return string(text), nil
}

// addTokens makes the finders of added tokens, and these what their ids stand for.
func (p *pipeline) addTokens(byID map[int]addedToken) error {
	var tokens [2][]addedToken // as they are, normalized
	var texts [2][]string
	taken := [2]map[string]string{{}, {}}
	e, left := &encoder{p: p}, maxWorking
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		t := byID[id]
		kind, text := 0, t.Content
		if t.Normalized {
			var err error
			if text, err = e.normalizeToken(t.Content, &left); err != nil {
				return err
			}
			kind = 1
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
