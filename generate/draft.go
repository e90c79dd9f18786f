package generate

// A drafter guesses how a text goes on: as it did the last time that its latest tokens occurred. Whoever answers from a document or corrects a text repeats
// what is there, and everybody repeats names and phrases. (Yang et al. 2023, arXiv 2304.04487; transformers' prompt_lookup_num_tokens.)
type drafter struct {
	matched int                   // how many of the text's last tokens occurred before, at most longestMatch
	at      int                   // where in the text the token after them is
	chance  [longestMatch]float64 // that a token after one, two or more that match is the same as then, as of late
	tokens  []int                 // the draft
}

const (
	longestMatch = 3 // longer ones are right as often

	// A row more takes some 5 to 10 % of a step, with which all sequences have a token: worthARow is the chance, for each of them, from which on a token of a
	// draft is worth it.
	worthARow = 1. / 6

	// forgetting is the weight of the latest token in a chance.
	forgetting = 1. / 10
)

// firstChances are what texts of all kinds begin with.
var firstChances = [longestMatch]float64{0.3, 0.5, 0.6}

// draft sets d.tokens to at most so many that may follow text, of which the last n are new, each with at least the given chance to be right.
func (d *drafter) draft(text []int, n, most int, least float64) {
	d.learn(text, n)
	d.tokens = d.tokens[:0]
	if d.matched = 0; most < 1 {
		return // without a look at the text
	}
	if d.find(text); d.matched == 0 {
		return
	}
	for p := 1.0; len(d.tokens) < most; {
		if p *= *d.chanceOf(len(d.tokens)); p < least {
			return
		}
		next := d.at + len(d.tokens)
		if next < len(text) {
			d.tokens = append(d.tokens, text[next])
		} else {
			d.tokens = append(d.tokens, d.tokens[next-len(text)]) // of a text that goes round in circles
		}
	}
}

// learn compares the new tokens with what followed the match, drafted or not.
func (d *drafter) learn(text []int, n int) {
	if d.matched == 0 {
		return
	}
	for i, token := range text[len(text)-n:] {
		c := d.chanceOf(i)
		if token != text[d.at+i] {
			*c -= *c * forgetting
			return
		}
		*c += (1 - *c) * forgetting
	}
}

// chanceOf is that of the token that comes so many after the match, if those between are right.
func (d *drafter) chanceOf(after int) *float64 {
	return &d.chance[min(d.matched+after, longestMatch)-1]
}

// find looks for the longest match, and the latest of these; there is none yet.
func (d *drafter) find(text []int) {
	last := len(text) - 1
	for end := last - 1; end >= 0 && d.matched < longestMatch; end-- {
		n := 0
		for n < longestMatch && n <= end && text[end-n] == text[last-n] {
			n++
		}
		if n > d.matched {
			d.matched, d.at = n, end+1
		}
	}
}
