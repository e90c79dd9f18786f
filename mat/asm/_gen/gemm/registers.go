package main

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
