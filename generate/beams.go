package generate

import (
	"slices"

	"github.com/polytropon/polytropon/mat"
)

// beamSearch is a request with several sequences in progress, the best first. It begins with one.
type beamSearch struct {
	Request
	Beams
	running, spare []beam // spare lends the memory of the next step's
	finished       []beam // best first, at most N
	sums           []float32
	top            []extension
	rows           []Row
}

// A beam is a sequence of new tokens with the sum of their log-probabilities, divided by a power of their number where it is finished.
type beam struct {
	score   float32
	ids     []int
	stopped bool
}

// An extension is a beam and the id that follows it.
type extension struct {
	score    float32
	beam, id int
}

func newBeamSearch(r Request) *beamSearch {
	return &beamSearch{Request: r, Beams: *r.Settings.Beams, running: make([]beam, 1)}
}

func (s *beamSearch) step(t *tools, logits mat.Matrix) (outcome, error) {
	s.rank(t, logits)
	if len(s.top) == 0 {
		return outcome{}, errNoToken
	}
	n := len(s.running[0].ids) + 1
	last := n == s.Settings.MaxNewTokens
	next := s.spare[:0]
	s.rows = s.rows[:0]
	for rank, x := range s.top {
		if len(next) == s.N {
			break
		}
		// The memory of the next beam to go on serves for looking whether this one does.
		next = slices.Grow(next, 1)[:len(next)+1]
		b := &next[len(next)-1]
		b.ids = append(append(b.ids[:0], s.running[x.beam].ids...), x.id)
		b.score, b.stopped = x.score, s.Settings.stops(b.ids)
		if !b.stopped && !last {
			s.rows = append(s.rows, Row{Parent: x.beam, Token: x.id})
			continue
		}
		next = next[:len(next)-1]
		if rank < s.N {
			s.finish(*b)
		}
	}
	s.running, s.spare = next, s.running
	if len(next) > 0 && !s.done(n) {
		return outcome{rows: s.rows}, nil
	}
	best := s.finished[0]
	o := outcome{ids: best.ids, finish: Length}
	if best.stopped {
		o.finish = Stopped
	}
	return o, nil
}

// rank sets s.top to the best extensions, as many as leave N that do not stop, in falling order; of equals the earlier beam's, then the smaller id's.
func (s *beamSearch) rank(t *tools, logits mat.Matrix) {
	s.sums = slices.Grow(s.sums[:0], logits.Rows)[:logits.Rows]
	t.engine.LogSumExp(s.sums, logits)
	s.top = s.top[:0]
	most := min(s.N, logits.Rows*logits.Cols) * max(2, 1+len(s.Settings.StopIDs))
	for i, b := range s.running {
		if sum := s.sums[i]; sum-sum != 0 { // not finite: there are no probabilities
			continue
		}
		scores, sum := logits.Row(i), s.sums[i]
		if s.Settings.penalizes() {
			for id := range scores {
				scores[id] -= sum
			}
			s.Settings.penalize(&t.penalty, scores, s.Prompt, b.ids)
			sum = 0
		}
		for from := 0; from < len(scores); from += tokenBlock {
			block := scores[from:min(from+tokenBlock, len(scores))]
			if len(s.top) == most && !(t.engine.MaxRow(block)-sum+b.score > s.top[most-1].score) {
				continue
			}
			for j, score := range block {
				s.rise(most, extension{score - sum + b.score, i, from + j})
			}
		}
	}
}

// rise puts x to its place in s.top, of at most so many.
func (s *beamSearch) rise(most int, x extension) {
	switch {
	case x.score != x.score:
		return
	case len(s.top) < most:
		s.top = append(s.top, extension{})
	case x.score <= s.top[most-1].score:
		return
	}
	at := len(s.top) - 1
	for ; at > 0 && x.score > s.top[at-1].score; at-- {
		s.top[at] = s.top[at-1]
	}
	s.top[at] = x
}

// finish puts a copy of b, with its final score, among the finished sequences where it is one of the best.
func (s *beamSearch) finish(b beam) {
	b.score /= s.divisor(len(b.ids))
	at := len(s.finished)
	for at > 0 && b.score > s.finished[at-1].score {
		at--
	}
	b.ids = slices.Clone(b.ids)
	s.finished = slices.Insert(s.finished, at, b)
	s.finished = s.finished[:min(len(s.finished), s.N)]
}

// done reports whether the search is over, with sequences of n new tokens running.
func (s *beamSearch) done(n int) bool {
	if len(s.finished) < s.N {
		return false
	}
	if s.EarlyStopping == StopEarly {
		return true
	}
	if s.EarlyStopping == StopNever && s.LengthPenalty > 0 {
		n = s.Settings.MaxNewTokens
	}
	return !(s.running[0].score/s.divisor(n) > s.finished[s.N-1].score)
}

// divisor returns n^LengthPenalty.
func (s *beamSearch) divisor(n int) float32 {
	switch s.LengthPenalty {
	case 0:
		return 1
	case 1:
		return float32(n)
	}
	return float32(mat.Pow(float64(n), s.LengthPenalty))
}
