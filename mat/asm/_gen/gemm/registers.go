package main

// What the general registers hold in each family of kernels, strides and distances in bytes. "B: line" is the address of a line of B to fetch ahead, "move" how far
// it goes on in a step, "distance" how far ahead of SI a line lies that needs no address. What changes when the sums of a panel are complete stands below the line.
//
//	        strip         wide         columns      piped        copyStrip    compact       pairs          bounds
//	AX      A, row 0      A, row 0     A            A, row 0     A, row 0     A, row 0      A, row 0       A, row 0
//	BX      A, row 5      step         m            A, row 5     A, row 5     A, row 5      A, row 5       B: distance
//	CX      A, row 10     3·step       scratch      A, row 10    A, row 10    A, row 10     run, second    pairs of lines left
//	DX DI   lda, 3·lda    lda, 3·lda   lda, 3·lda   lda, 3·lda   lda, 3·lda   lda, 3·lda    lda, 3·lda     lda, 3·lda
//	SI      B             B            B            B            B            unit          unit, first    B
//	R8      ldb           ldb          ldb          ldb          ldb          runs          runs, first    scale
//	R9      B: distance   B: line      A, scratch   A, row 15    scratch      rare          rare, first    radius
//	R10     k left        k left       k left       k left       k left       run           run, first     size
//	R11     C             C            C            C            C            B: distance   B: distance    B: second line from R15
//	R12     ldc           ldc          ldc          A: move      ldc          dst           unit, second   B: move
//	R13     panels left   panels left  panels left  panels left  panels left  panels left   panels left    panels left
//	R14     B: line       A, row 5                  A: line      dst          behind run    units left     A, row 5
//	R15     B: move                                 A: jump      B: line      highs         highs          B: line
//	----------------------------------------------------------------------------------------------------------------
//	AX      C             C            scratch      scratch      C            C             C              row of most and least
//	BX      add, tail                  add          add                       add, tail                    ld
//	CX      C in pieces                C            C                         C in pieces
//	R9                                 m            m
//	R11     C, next       C, next                                C, next      C, next       C, next        most
//	R12     ldc                                     ldc                       ldc           ldc            least
//
// strip:   Tiles of one panel. Where rows are direct, it is A that is fetched: R9 is "move", R14 "line", R15 "jump". Tiles that fetch the next strip of A have its
// line in R12 until the sums are complete (nextStrip), and ldc in the arguments.
// piped:   R12 is how far R14 moves from row to row, R15 how far besides past the last one (fetchRows).
// compact: "run" is the units before the next rare one, "behind run" those of the panel after them. Where quarters are fetched R11 is "line" and R13 how far it is
// to the next quarter, and the panels left are in the arguments. So are C and ldc.
// pairs:   Runs and rare units of the second panel are in the arguments of those names, as registers don't suffice.
// bounds:  BX is the distance to the first-level cache, R15 and R11 past it the lines for the second.
//
// The vector registers:
//
//	strip      from 0 up the sums, row by row; the last two broadcast elements of A; before them a row of B, and before it the elements of A that are read by fours
//	wide       from 0 up the sums, row by row and in it panel by panel; the last ones an element of each row of A, before them a vector of B
//	columns    0 to 7 the sums, a column of 16 rows each; 8 to 23 a transposed block of A; 24 to 31 scratch
//	piped      0 to 7 the sums; 8 to 15 and 24 to 31 in turn the half of a block at hand and the next one; 16 to 23 scratch
//	compact    from 0 up the sums, as in wide; the last four what of B is being put together (register), and an element of A
//	bounds     from 0 up the sums, row by row; the last ones a vector of B, products, and a pair of elements of each row of A (boundsTile)
//
// K1 and K2 select the columns of the last panel, but in columns K1 those of A in a block, and then those of C.
//
// NEON:
//
//	          strip             copyStrip         bounds
//	R0        A, row 0          A, row 0          A
//	R1        A, row 1          A, row 1          B
//	R2        A, row 2          A, row 2          panels left
//	R3        A, row 3          A, row 3          k left
//	R4 to R8  A, rows 4 to 7    A, rows 4 and 5   scale, radius, size, most, least
//	R9        ldb               ldb
//	R10       k left            k left
//	R11 R12   C, ldc            C, ldc
//	R13       panels left       panels left
//	R14       scratch, then C   scratch, then C
//	R15       add               add
//	R16 R17                     dst, B: line
//	R20       B                 B
//	R21-R23   B of panels 1-3
//	V0 up     sums, row by row  sums, row by row  sums of even and of odd steps, of two columns each
//	V16-V19                                       B, widened
//	to V29    A, row by row     A, row by row     V28 a pair of A's elements, V29 size, V26 and V27 the largest bounds
//	V30 V31   B                 B
//
// The other functions are short, and their registers are named by the arguments that they load. Below is what the assembly says of this.

const stripRegisters = `
// Registers of the strip kernels (strides in bytes):
//
//	AX BX CX  A, rows 0, 5 and 10 on     DX DI  lda, 3·lda
//	SI        B                          R8     ldb
//	R9        distance of a prefetch         R14 R15  address of another, and how far it moves in a step
//	R10       steps of k left            R13    panels left
//	R11       C                          R12    ldc
//
// Where a tile is several panels wide, BX and CX are step and 3·step, R14 is row 5 of A, and R9 is the address of the prefetch.
// Vector registers from 0 up are accumulators, row by row; the last ones hold a row of B and broadcast elements of A.`

const compactRegisters = `
// Other registers than those of the strip kernels: R8 is runs, R9 rare, R15 highs; R10 is the units before the next rare one, R14 those of the panel behind them; until the sums of a panel are
// complete, R12 is dst and R11 how far ahead B is fetched; or R11 is a line of a quarter to fetch and R13 how far it is to the next quarter. Of two panels at once, R12 is the second one, CX its
// R10, R14 all units left; its R8 and R9 are in the arguments. The last four vector registers hold what of B is being put together, and broadcast elements of A.`

const neonRegisters = `
// Registers of the strip kernels (strides in bytes):
//
//	R0-R7   the rows of A          R20-R23  B, one for each panel of the tile
//	R9      ldb                    R10      steps of k left
//	R11 R12 C, ldc                 R13      panels left
//	R14 R15 scratch
//
// V0 up are accumulators, row by row; the registers below V30 hold elements of A, one register for each row; V30 and V31 hold a
// part of a row of B.`
