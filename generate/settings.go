package generate

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/polytropon/polytropon/mat"
)

// Settings say how a request's tokens are chosen and when they end. Without Beams and Sampling they are chosen greedily: the token
// with the largest logit, the first of equals.
type Settings struct {
	MaxNewTokens int   // at least 1
	StopIDs      []int // tokens that end the sequence, as its last

	// StopStrings end the sequence at the token that completes one of them in Text(ids of the new tokens so far). Text is needed by them: a tokenizer's Decode,
	// say. It is also asked for the text of the last tokens alone, which is to be that at the end of the whole but for what its first token becomes; ids must not
	// be kept or changed.
	StopStrings []string
	Text        func(ids []int) string

	// RepetitionPenalty p changes the score of every id that the prompt or the new tokens contain, to score·p where it is negative and
	// score/p otherwise (Keskar et al. 2019). It applies to logits, in beam search to log-probabilities. 0 and 1 change nothing.
	RepetitionPenalty float64

	Beams    *Beams    // nil: no beam search
	Sampling *Sampling // nil: no sampling

	NoDrafts bool // a step for every token, also where the source is a [Verifier]: the same tokens, for those who measure steps
}

// Greedy returns the settings of at most n tokens, each the likeliest.
func Greedy(n int) Settings { return Settings{MaxNewTokens: n} }

// Beams are the settings of a beam search: the N likeliest sequences go on together, and the best finished one is the result.
type Beams struct {
	N int // beams, at least 1

	// LengthPenalty p divides the sum of the log-probabilities of a finished sequence of g new tokens by g^p. 0 leaves the sum, 1 is the
	// mean (transformers' default), and more than that prefers longer sequences.
	LengthPenalty float64

	EarlyStopping EarlyStopping
}

// EarlyStopping says when the search ends, once there are as many finished sequences as beams: transformers' early_stopping.
type EarlyStopping int

const (
	// StopHeuristic, False in transformers, ends it when the best beam, divided by g^p at its present length, is not above the worst of them.
	StopHeuristic EarlyStopping = iota
	// StopEarly, True, ends it at once.
	StopEarly
	// StopNever, "never", is like StopHeuristic, but with the length that makes the most of the best beam: MaxNewTokens where p > 0.
	StopNever
)

// Sampling are the settings of random choice. They apply in this order: Temperature, TopK, TopP, MinP. (TopK compares logits that are not yet divided, which
// differs only where rounding makes two of them equal.)
type Sampling struct {
	Temperature float64 // by which logits are divided; more than 0, 1 leaves them as they are
	TopK        int     // the most likely TopK tokens, and those as likely as the last of them, can be chosen; 0: all
	TopP        float64 // so can those before which the likelier ones sum up to less than TopP; 0 and 1: all
	MinP        float64 // so can those whose probability is at least MinP times the largest one; 0: all
	Seed        uint64  // of the request's own random source
}

// Largest returns what [Row] has as Largest where s chooses the next token, after so many tokens, those of the prompt included.
func (s *Settings) Largest(tokens int) int {
	if s.Beams != nil {
		return 0
	}
	n := 1
	if s.Sampling != nil {
		n = s.Sampling.TopK
	}
	switch p := s.RepetitionPenalty; {
	case n == 0 || p != 0 && p < 1:
		return 0
	case p > 1: // makes no score larger, so above one that is chosen there were no more than the chosen ones and those tokens
		n += tokens
	}
	return n
}

// penalizes reports whether there is a repetition penalty.
func (s *Settings) penalizes() bool { return s.RepetitionPenalty != 0 && s.RepetitionPenalty != 1 }

// Validate says which setting cannot be used with a vocabulary of that size, and why.
func (s *Settings) Validate(vocabulary int) error {
	positive := func(x float64) bool { return float32(x) > 0 && x <= math.MaxFloat32 }
	switch {
	case s.MaxNewTokens < 1:
		return fmt.Errorf("max_new_tokens: got %d, want at least 1", s.MaxNewTokens)
	case s.RepetitionPenalty != 0 && !positive(s.RepetitionPenalty):
		return fmt.Errorf("repetition_penalty: got %g, want a number of a float32 that is more than 0", s.RepetitionPenalty)
	case len(s.StopStrings) > 0 && s.Text == nil:
		return fmt.Errorf("stop strings: got %d without a function from ids to text", len(s.StopStrings))
	case s.Beams != nil && s.Sampling != nil:
		return errors.New("got both beams and sampling, want one of them")
	}
	for _, id := range s.StopIDs {
		if id < 0 || id >= vocabulary {
			return fmt.Errorf("stop id: got %d, want 0 ≤ id < %d", id, vocabulary)
		}
	}
	if i := slices.Index(s.StopStrings, ""); i >= 0 {
		return fmt.Errorf("stop strings[%d]: got an empty one", i)
	}
	if b := s.Beams; b != nil {
		switch {
		case b.N < 1:
			return fmt.Errorf("num_beams: got %d, want at least 1", b.N)
		case !(math.Abs(b.LengthPenalty)*mat.Log(float64(s.MaxNewTokens)) < 80):
			return fmt.Errorf("length_penalty: got %g, want a number whose power of max_new_tokens a float32 can hold", b.LengthPenalty)
		case b.EarlyStopping < StopHeuristic || b.EarlyStopping > StopNever:
			return fmt.Errorf("early_stopping: got %d, want one of the three constants", b.EarlyStopping)
		}
	}
	if p := s.Sampling; p != nil {
		switch {
		case !positive(p.Temperature):
			return fmt.Errorf("temperature: got %g, want a number of a float32 that is more than 0", p.Temperature)
		case p.TopK < 0:
			return fmt.Errorf("top_k: got %d, want at least 0", p.TopK)
		case !(p.TopP >= 0 && p.TopP <= 1):
			return fmt.Errorf("top_p: got %g, want 0 ≤ top_p ≤ 1", p.TopP)
		case !(p.MinP >= 0 && p.MinP <= 1):
			return fmt.Errorf("min_p: got %g, want 0 ≤ min_p ≤ 1", p.MinP)
		}
	}
	return nil
}
