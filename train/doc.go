// Package train is the training loop: it takes examples from a dataset, cuts them into micro-batches, adds up their gradients, lets an
// optimiser step, evaluates, and keeps checkpoints from which a run goes on with the same bits.
//
// What is trained is an [Objective]: [PolyModel], which is a base language model with a Poly adapter, or any other. What a run depends on is its
// Config, the objective and the datasets; not the number of workers or threads or the kernel level, and not whether it was stopped and resumed.
//
// A checkpoint is a folder checkpoint-<step> in Config.OutputDir: what is trained (of a PolyModel the files that PEFT has, so that PEFT and poly.Open
// open it), the optimiser's state in optimizer.safetensors, and the [Position] in position.json. It is there as a whole or not at all, whenever the
// process or the machine stops. The last and the best are kept.
package train
