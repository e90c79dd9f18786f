// Package optim changes parameters by their gradients: Adam, AdamW, SGD and Adafactor over groups of parameters with a rate and a weight
// decay each; schedules of the rate; clipping of the gradients; and the optimisers' state, to be saved and resumed.
//
// The arithmetic is that of torch.optim, and of transformers for Adafactor and the schedules: float32 with numbers of float64, step by
// step as PyTorch computes it on a CPU with vector units, fused multiply-adds where it has them. SGD has PyTorch's bits, and Adam and AdamW have
// those that PyTorch would have if its square roots were correctly rounded: one unit in the last place of the update is what that makes. Norms and
// means are taken in another order and more exactly: PyTorch's norm of two million elements is off by 10⁻⁴.
//
// Results have the same bits on every level of the engine and with any number of threads. Steps allocate nothing.
package optim
