// Package mat computes with two-dimensional float32 matrices on the CPU: strided views, packed weights, matrix products, row and
// element functions, and the pool of workers that share the work.
//
// Every function gives the same bits on every instruction set, with any number of threads, and for a row alone as for the same row
// among others. Products are cut into blocks of 512 along k; a block is a chain of fused multiply-adds over ascending k from zero;
// blocks are added in ascending order. Row reductions use 32 lanes and one fixed tree.
package mat
