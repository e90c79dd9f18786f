package tokenizer

// An encoder holds what one call of a pipeline needs, for use by the next.
type encoder struct {
	p    *pipeline
	ids  []int
	text []byte // the input

	normal     [2][]byte    // what one normalizer hands to the next
	decomposed []byte       // within one normalizer
	chars      []normalChar // within a normal form
	steps      [][]byte     // what each step of the pre-tokenizer makes of a piece

	symbols []int32  // of a word
	pairs   []uint64 // their merges
	heap    []uint64
	links   []link
	paths   []path
	spans   []piece
}

// piece hands a piece of text to a step of the pre-tokenizer, or to the model after the last.
func (e *encoder) piece(step int, text []byte, first bool) {
	switch {
	case len(text) == 0:
	case step < len(e.p.split):
		e.p.split[step].split(e, step+1, text, first)
	default:
		e.ids = e.p.model.encode(e, e.ids, text)
	}
}
