// Package mat computes with two-dimensional float32 matrices on the CPU: strided views, packed weights, matrix products, row and
// element functions, and the pool of workers that share the work.
//
// Every function gives the same bits on every instruction set, with any number of threads, and for a row alone as for the same row
// among others. Products are cut into blocks of 512 along k; a block is a chain of fused multiply-adds over ascending k from zero;
// blocks are added in ascending order. Row reductions use 32 lanes and one fixed tree.
//
// # Operands
//
// Shapes that do not fit and results of products that overlap an operand are mistakes of the program: the call panics and tells the
// shapes. All operands of an element function (Exp, Add, GateSiLU and their like, and their gradients) have one shape; the result may be an
// operand, but must not overlap one otherwise.
//
// The names of products say what is computed: Mul sets C to the product, MulAdd adds it to C; T before Matrix transposes A, T at the end
// transposes B; Matrix takes a B that is not packed; Grouped computes many products in one call, which costs little more than one. No C of
// a group may overlap another operand of the group.
//
// # Accuracy
//
// Exp, Sigmoid, Tanh, SiLU, GELU and GELUTanh are at most 2 units in the last place from the correctly rounded value: SiLU for x ≥ -87, GELU
// for x ≥ -13.24 and GELUTanh for x ≥ -9.9, below which results are next to nothing. Their gradients say in how many units in the last
// place, or in how much in absolute terms where that is more, they lie for a gradient of 1; the product with another one is one more
// rounding.
package mat
