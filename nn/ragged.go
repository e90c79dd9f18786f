package nn

// Ragged says which rows of a matrix belong to which sequence: sequence i has the rows r[i] ≤ row < r[i+1]. r[0] is 0.
type Ragged []int

// RaggedOf returns the layout of n sequences of which sequence i has length(i) rows.
func RaggedOf(n int, length func(i int) int) Ragged {
	r := make(Ragged, n+1)
	for i := range n {
		r[i+1] = r[i] + length(i)
	}
	return r
}

// Sequences returns the number of sequences.
func (r Ragged) Sequences() int { return len(r) - 1 }

// Rows returns the number of rows of all sequences.
func (r Ragged) Rows() int { return r[len(r)-1] }

// Len returns the number of rows of sequence i.
func (r Ragged) Len(i int) int { return r[i+1] - r[i] }

// Longest returns the number of rows of the longest sequence, 0 where there is none.
func (r Ragged) Longest() int {
	n := 0
	for i := range r.Sequences() {
		n = max(n, r.Len(i))
	}
	return n
}
