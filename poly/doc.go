// Package poly adapts models with Polytropon (Poly, arXiv 2202.13914) and Multi-Head Routing (MHR, arXiv 2211.03831), in the formats and
// under the names of Hugging Face PEFT: a bank of low-rank skills behind each adapted linear layer, and a router that gives each task its
// own mixture of them.
//
// An [Adapter] is what PEFT saves in one folder. It is immutable, and so safe for concurrent use. [Adapter.Task] names one of its tasks
// for a sequence of a batch; the mixture of that task is computed once, at its first use.
//
// A [Trainer] trains an adapter that was opened or that [Init] made, in passes with a tape, and returns what it has come to as an Adapter.
package poly
