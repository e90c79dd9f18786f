package model

import (
	"testing"

	"github.com/polytropon/polytropon/generate"
)

// A decoder of no requests, and one whose sequences are all over, has no logits.
func TestDecoderOfNobody(t *testing.T) {
	for name, m := range decodables(t) {
		for _, requests := range [][]Request{nil, {{InputIDs: []int{3}}}} {
			d, err := m.Decoder(requests)
			if err != nil {
				t.Fatal(err)
			}
			logits, err := d.Start(t.Context())
			if err != nil || logits.Rows != len(requests) || logits.Cols != 13 {
				t.Errorf("%s: got %s, %v, want a row of 13 for each of %d requests", name, logits.Shape(), err, len(requests))
			}
			for range 2 {
				if logits, err = d.Next(t.Context(), []generate.Row{}); err != nil || logits.Rows != 0 || logits.Cols != 13 {
					t.Errorf("%s: got %s, %v, want 0×13", name, logits.Shape(), err)
				}
			}
		}
	}
}
