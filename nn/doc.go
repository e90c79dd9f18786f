// Package nn has the layers that models are made of, each computing on a ragged batch: the tokens of all sequences are the rows of one
// matrix, without padding, and offsets say where each sequence begins.
//
// Layers are immutable and hold no state of a call. A Pass carries what a call needs: the engine, what each sequence adds to the
// base model (its Deltas) and scratch memory.
package nn
