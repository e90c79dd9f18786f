package generate

// penalty applies the repetition penalty to one row of scores after another.
type penalty struct {
	seen []uint64 // by token id, the last row that has had it
	row  uint64
}

// penalize changes the scores of the ids in prompt and in ids, each once.
func (s *Settings) penalize(p *penalty, scores []float32, prompt, ids []int) {
	if !s.penalizes() {
		return
	}
	if p.seen == nil {
		p.seen = make([]uint64, len(scores))
	}
	p.row++
	factor := float32(s.RepetitionPenalty)
	for _, some := range [2][]int{prompt, ids} {
		for _, id := range some {
			switch {
			case p.seen[id] == p.row:
				continue
			case scores[id] < 0:
				scores[id] *= factor
			default:
				scores[id] /= factor
			}
			p.seen[id] = p.row
		}
	}
}
