package main

// A fetch says how far ahead the tiles of a strip kernel fetch B: in bytes, as an operand, or in rows of B.
type fetch struct {
	far string // bytes, for tiles that fetch once

	twiceFrom int    // rows of A from which on a tile fetches twice, 0 for none
	near      int    // rows, to the first-level cache; for tiles of several panels, too
	fewFar    string // bytes, to the second-level cache, where rows are few
	manyFar   string // the same where they're many
}

var (
	fetch32AVX512 = fetch{far: "·farAVX512(SB)", twiceFrom: 8, near: 16, fewFar: "·fewFarAVX512(SB)", manyFar: "$12288"}
	fetch16AVX512 = fetch{far: "·farAVX512(SB)", twiceFrom: 2, near: 32, fewFar: "·fewFarAVX512(SB)", manyFar: "$12288"}
	fetch32AVX2   = fetch{far: "·farAVX2(SB)", twiceFrom: 4, near: 32, fewFar: "$12288", manyFar: "$12288"}
	fetch16AVX2   = fetch{far: "·farAVX2(SB)", twiceFrom: 4, near: 64, fewFar: "$12288", manyFar: "$12288"}
)
