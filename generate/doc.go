// Package generate turns a model's next-token logits into sequences of tokens: greedy, by beam search or by sampling, with the rules of
// transformers' generate().
//
// It knows no model. A [Source] gives the logits of the sequences in progress, a row each; [Stream] chooses tokens from them, tells the
// source which sequences go on with which token, and leaves out at once those that are finished; a [Batch] does so for requests that come later. Each
// request has settings and a random source of its own, so that it gets the same tokens alone and in any batch.
//
// Where a source can tell what follows several tokens in little more time than what follows one (a [Verifier]), requests of one sequence have drafts: what
// followed the last time that the latest tokens occurred, in the input, the prompt or the new tokens. Tokens of a draft that are the ones to be chosen come
// with one step; the others are dropped, so drafts change how many steps there are and nothing else.
package generate
