package tokenizer

import (
	"encoding/json"
	"fmt"
)

// parsePostProcessor reads which tokens go around a text.
func (p *pipeline) parsePostProcessor(field string, data json.RawMessage) error {
	if data == nil {
		return nil
	}
	o, err := parseObject(field, data)
	if err != nil {
		return err
	}
	kind := o.kind()
	if p.prefix != nil && kind != "ByteLevel" {
		o.fail("type", "got %s after a step that adds tokens, which is not supported", quote(kind))
	}
	switch kind {
	case "Sequence":
		return parseList(o, "processors", p.parsePostProcessor)
	case "ByteLevel": // changes offsets only
		for _, key := range []string{"add_prefix_space", "trim_offsets", "use_regex"} {
			o.read(key, new(bool))
		}
	case "BertProcessing", "RobertaProcessing":
		p.prefix = []int{readPair(o, "cls")}
		p.suffix = []int{readPair(o, "sep")}
		if kind == "RobertaProcessing" {
			o.readNeeded("trim_offsets", new(bool))
			o.readNeeded("add_prefix_space", new(bool))
		}
	case "TemplateProcessing":
		p.parseTemplate(o)
	default:
		o.fail("type", "got %s, which is not supported", quote(kind))
	}
	return o.done()
}

// readPair takes a token and its id.
func readPair(o *object, key string) int {
	var pair []json.RawMessage
	o.readNeeded(key, &pair)
	if o.err == nil && len(pair) != 2 {
		o.fail(key, "got %d values, want a token and its id", len(pair))
	}
	var id uint32
	if o.err == nil {
		o.unmarshal(key, pair[0], new(string))
		o.unmarshal(key, pair[1], &id)
	}
	return int(id)
}

// maxAround is how many tokens a template can put around a text: each of its pieces can name all of those that a special token is.
const maxAround = 1000

// parseTemplate reads the template of single texts; that of pairs is not used.
func (p *pipeline) parseTemplate(o *object) {
	var single []map[string]struct {
		ID     string `json:"id"`
		TypeID uint32 `json:"type_id"`
	}
	var special map[string]struct {
		ID     string   `json:"id"`
		IDs    []uint32 `json:"ids"`
		Tokens []string `json:"tokens"`
	}
	o.readNeeded("single", &single)
	o.need("pair")
	o.readNeeded("special_tokens", &special)
	p.prefix = []int{}
	to, texts := &p.prefix, 0
	for i, piece := range single {
		at := fmt.Sprintf("single[%d]", i)
		sequence, isSequence := piece["Sequence"]
		token, isToken := piece["SpecialToken"]
		switch {
		case len(piece) == 1 && isSequence && sequence.ID == "A":
			to = &p.suffix
			texts++
		case len(piece) == 1 && isToken:
			ids, ok := special[token.ID]
			if !ok {
				o.fail(at, "got the special token %s, want one of special_tokens", quote(token.ID))
			}
			for _, id := range ids.IDs {
				*to = append(*to, int(id))
			}
			if len(p.prefix)+len(p.suffix) > maxAround {
				o.fail("single", "got more than %d tokens around a text", maxAround)
				return
			}
		default:
			o.fail(at, "want a Sequence A or a SpecialToken")
		}
	}
	if texts != 1 {
		o.fail("single", "got %d sequences, want one", texts)
	}
}
