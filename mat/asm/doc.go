// Package asm holds the kernels of package mat, one set per instruction set, and says which sets this machine can run.
//
// It knows no policy: no blocking, no threads, no shapes beyond those of one call. The portable Go code is always compiled and is the
// specification of every other set: all levels give the same bits for the same arguments.
package asm
