package tokenizer

import (
	"encoding/json"
	"testing"
)

// Recorded with tokenizers 0.23.3: what decoders make of tokens, each by itself or fused to one text.
func TestDecoders(t *testing.T) {
	ends := []string{"aab", "baa", "aXa"}
	for _, test := range []struct {
		decoder string
		tokens  []string
		want    string
	}{
		{`{"type": "Strip", "content": "a", "start": 1, "stop": 1}`, ends, "abbaX"},
		{`{"type": "Strip", "content": "a", "start": 2, "stop": 0}`, ends, "bbaaXa"},
		{`{"type": "Strip", "content": "a", "start": 0, "stop": 2}`, ends, "aabbaX"},
		{`{"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "Strip", "content": "a", "start": 1, "stop": 1}]}`, ends, "abbaaaX"},
		{`{"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "Strip", "content": "a", "start": 0, "stop": 3}]}`, ends, "aabbaaaX"},
		{`{"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Metaspace", "replacement": "▁"}]}`, []string{"▁a", "<0x41>", "▁b"}, "aA b"},
		{`{"type": "ByteFallback"}`, []string{"<0x41>", "<0x42)", "<1x43>", "<0xZZ>", "<0x4>", "<0x+4>", "<0x44>"}, "A<0x42)<1x43><0xZZ><0x4>\x04D"},
	} {
		vocabulary, ids := map[string]int{}, []int{}
		for id, token := range test.tokens {
			vocabulary[token] = id
			ids = append(ids, id)
		}
		text, err := json.Marshal(map[string]any{"type": "BPE", "vocab": vocabulary, "merges": []string{}})
		if err != nil {
			t.Fatal(err)
		}
		tok := parse(t, tiny(t, map[string]string{"model": string(text), "decoder": test.decoder}))
		if got := tok.Decode(ids, false); got != test.want {
			t.Errorf("%s: got %q, want %q", test.decoder, got, test.want)
		}
	}
}
