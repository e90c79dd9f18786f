package main

// What is fetched ahead, to the first-level cache (L1) or to the second (L2). The rows are those of a tile; they're few up to isa.few, for bounds up to isa.boundsRows.
// Distances that differ for Intel's cores are variables of asm/tuning_amd64.go.
//
//	kernel                  rows                    what              to      how far ahead
//	strips of two vectors   below twiceFrom         B                 L1      far
//	                        few, from twiceFrom on  B, Intel's cores  L1, L2  near rows and fewFar, or Ahead.B
//	                                                B, other cores    L1      fewFar; or as Intel's where there's an Ahead.B
//	                        many                    B                 L1, L2  near rows and manyFar, or Ahead.B
//	                                                Ahead.A           L2      two of its rows with each of the last panels
//	  several panels        kernel.wide             B                 L1      near rows, then the panels of the next group; short sums: none
//	strips of one vector    few; below fewestRows   B                 L1      far
//	                        many, direct and piped  Ahead.A           L2      a line of each row in 16 steps
//	compact, other cores    all                     B                 L1      far
//	compact, Intel's cores  those of quarters       B                 L1, L2  compactNear and the quarters of the next panels
//	                        others                  B                 L1, L2  compactNear and far
//	compact                 all                     rare high bytes   L1      rareAhead
//	copyStrip               all                     B                 L1, L2  copyNear and copyFar rows; NEON: to L1, copyNEON rows
//	copy                    all                     source            L1      rowsAhead rows
//	bounds, other cores     all                     B                 L1      boundsNear
//	bounds, Intel's cores   all                     B                 L1, L2  boundsNear and boundsFar
//	                        many                    B                 L1, L2  boundsNear and the halves of the next panel
//
// C is fetched to L1 when a panel begins: by all tiles of one panel, those by columns aside, and by those of several where sums are short. NEON's strips fetch nothing.
//
// A tile of few rows waits for memory: it fetches each row of B far ahead, to the first-level cache. With AVX-512 it takes one panel at a time, since memory
// delivers one stream to those faster than several; only one row of A by rows of B that are two lines long takes several panels at once: as fast from memory, and
// faster from caches. A narrower row of B has too few sums that do not wait for each other, and several panels give it more.
//
// On AMD's cores, to fetch to the second-level cache gains nothing there, and both take longer than either. On Intel's, both take a tenth to a quarter less
// time. But where B is at hand or lies apart, as in attention, what that adds to a step takes up to a fifth longer; so only 16-bit weights do so for fewer than 8 rows.
//
// Tiles of more rows read B from the second-level cache where there are many of them, and from memory where there is one: they fetch some rows ahead
// to the first-level cache, and far ahead to the second. Narrow panels that many rows pass stay in the caches, and aren't fetched.
//
// Where several strips pass the same panels, the next panels come from memory while nobody waits for them: each strip fetches its share of them (Ahead).
// In steps of k and not at once, as to wait for many lines holds up the loads of B.

// A fetch is how far ahead the tiles of a strip kernel fetch B: in rows of B, or in bytes, as an operand.
type fetch struct {
	far       string // bytes, for tiles that fetch once
	twiceFrom int    // rows of A from which on a tile fetches twice, 0 for none
	near      int    // rows, to the first-level cache, for tiles that fetch twice and those of several panels
	fewFar    string // bytes, besides, for few rows
	manyFar   string // the same for many
}

var (
	fetch32AVX512 = fetch{far: "·farAVX512(SB)", twiceFrom: 8, near: 16, fewFar: "·fewFarAVX512(SB)", manyFar: "$12288"}
	fetch16AVX512 = fetch{far: "·farAVX512(SB)", twiceFrom: 2, near: 32, fewFar: "·fewFarAVX512(SB)", manyFar: "$12288"}
	fetch32AVX2   = fetch{far: "·farAVX2(SB)", twiceFrom: 4, near: 32, fewFar: "$12288", manyFar: "$12288"}
	fetch16AVX2   = fetch{far: "·farAVX2(SB)", twiceFrom: 4, near: 64, fewFar: "$12288", manyFar: "$12288"}
)

// fetchesTwice reports whether a tile of m rows fetches B twice.
func (x x86) fetchesTwice(m int) bool { return x.twiceFrom > 0 && m >= x.twiceFrom }

// fetchesStrip reports whether a tile of m rows, while it passes the last panels, fetches the next strip of A: two rows with each panel, a line of both
// in a step of the main loop or, as the hardware would do, none that is at hand.
func (x x86) fetchesStrip(m int) bool { return m > x.few && !x.isNarrow(m) }

// quarters reports whether m rows fetch the next panels while they multiply those at hand, a line of each quarter in turn. On Intel's cores four streams, each
// in pages of its own, come faster than one beside multiply-adds: 8 rows of float32 take a fifth less time, 4 to 7 of bfloat16 a tenth. One row of bfloat16 and few
// of float32, which do little else than wait for memory, take 2 to 3 % longer so.
func (c compact) quarters(m int) bool {
	return c.intel && (m > c.pairRows() || c.storage == "BFloat16" && m > 1)
}

const (
	// shortPanel is the size in bytes up to which what lies beside a panel is fetched and not what follows it, which is nothing where panels lie apart: as values
	// do in a cache that has room for more.
	shortPanel = 8 << 10

	// compactNear is how many bytes ahead Intel's cores fetch B to the first-level cache, once it has come to the second: they have room for few lines that are on
	// their way from memory to the first. That is 5 to 10 % faster there.
	compactNear = 512

	// rareAhead is how many bytes before they are needed the high bytes of rare units are fetched.
	rareAhead = 256

	// How many rows before its use copyStrip fetches a row of B, to the second-level cache and to the first: the rows lie too far apart for the hardware to see a
	// stream, and where they lie a power of two apart the first-level cache holds few of them. NEON fetches once.
	copyFar, copyNear = 64, 8
	copyNEON          = 32

	// rowsAhead is how many rows copy fetches ahead: they lie too far apart for the hardware to do so, and often come from beyond the second-level cache. Where a
	// strip of rows is copied at a time, that is the next one.
	rowsAhead = 16
)
