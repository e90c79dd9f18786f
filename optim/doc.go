// Package optim changes parameters by their gradients: Adam, AdamW, SGD and Adafactor over groups of parameters with a rate and a weight
// decay each; schedules of the rate; clipping of the gradients; and the optimisers' state, to be saved and resumed.
//
// The arithmetic is that of torch.optim, and of transformers for Adafactor and the schedules: float32 with numbers of float64 as PyTorch on
// a CPU with vector units computes it, fused multiply-adds where it has them. Results differ from PyTorch's where its square roots are not
// correctly rounded and where sums are taken in another order: by a few units in the last place per step. They have the same bits on every
// level of the engine and with any number of threads, and after the first step nothing is allocated.
package optim
