// Package generate turns a model's next-token logits into sequences of tokens: greedy, by beam search or by sampling, with the rules of
// transformers' generate().
//
// It knows no model. A [Source] gives the logits of the sequences in progress, a row each; [Stream] chooses tokens from them, tells the
// source which sequences go on with which token, and leaves out at once those that are finished; a [Batch] does so for requests that come later. Each
// request has settings and a random source of its own, so that it gets the same tokens alone and in any batch.
package generate
