package main

// A kernel is a function that multiplies a strip of A by panels of B.
type kernel struct {
	name    string
	storage string      // of B: "Float32", "BFloat16" or "Float16"
	mr      int         // rows of the largest tile, those by columns aside
	vecs    int         // vectors in a row of a panel
	reg     string      // prefix of the vector registers, where it isn't that of the level's longest
	wide    map[int]int // how many panels a tile of so many rows takes at once, where it's more than one
	fetch               // how far ahead B is fetched (fetch.go)

	many  way  // how tiles of many rows read A
	short bool // for sums of up to shortK terms alone, with tiles that fetch C and not B: strip32Intel
	intel bool // for Intel's cores alone: what it has no code for is left to its namesake for all
}

// A way is how a tile of many rows reads A. Tiles of few rows, up to isa.few or below fewestRows, are all plain.
type way int

const (
	plain   way = iota // each element is broadcast to a register: panels of two vectors
	fours              // of isa.fours rows, four elements at a time are loaded, and then broadcast: panels of one vector
	direct             // multiply-adds broadcast what they read: the same on Intel's cores, in a kernel that has no code for few rows
	columns            // 10 to 16 rows are transposed and multiplied by columns: panels of 8 columns with AVX-512
	piped              // 16 rows are transposed between the multiply-adds: the same on Intel's cores, in a kernel that has no code for others
)

// cores is what the name of a kernel says of the cores that it's for.
func (k kernel) cores() string {
	if k.intel {
		return "Intel"
	}
	return ""
}
