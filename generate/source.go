package generate

import (
	"context"

	"github.com/polytropon/polytropon/mat"
)

// A Source gives the logits of the next token of sequences in progress. The returned matrices have a row per sequence (and per token of a draft) and a column
// per token id; the caller may overwrite them, and does not use them after the next call.
type Source interface {
	// Vocabulary returns the number of token ids.
	Vocabulary() int
	// Start returns the logits after the requests' prompts, row i for request i. It is called once, first.
	Start(ctx context.Context) (mat.Matrix, error)
	// Next returns the logits after each of rows, in their order. What no row continues is over. Rows of one request follow one another, and
	// requests keep their order. rows is valid during the call.
	Next(ctx context.Context, rows []Row) (mat.Matrix, error)
}

// A Verifier is a [Source] or [Joinable] that computes what follows drafts, too: tokens that are only guessed (speculative decoding). It is worth while where
// a step of few rows takes about as long as one of a single row.
type Verifier interface {
	// DraftTokens returns how many tokens the drafts of a step of so many rows may have together.
	DraftTokens(rows int) int
}

// A Row is a sequence that goes on: row Parent of the logits that the source returned last, followed by Token. Several rows may
// continue the same one.
type Row struct {
	Parent, Token int // 0 ≤ Parent < rows of those logits, 0 ≤ Token < Vocabulary; a [Source] may panic where they are not

	// Draft is what may follow Token: the source returns a row of logits after Token and, behind it, one after each token of the draft. The Parent of the
	// next row is the last of those that are of use. Only a [Verifier] gets drafts.
	Draft []int

	// Largest, if not 0, says that the next token is chosen from so many of the largest logits, and those equal to the last of them: the source may leave
	// others at -Inf.
	Largest int
}
