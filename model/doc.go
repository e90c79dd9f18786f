// Package model opens base models from Hugging Face folders and computes with them.
//
// These model_types are known: t5, mt5 and umt5, encoder-decoders of the T5 family; llama, mistral, qwen2 and qwen3, decoders of the Llama family
// (SmolLM is a llama). config.json alone says which parameters there are and of what shapes; a folder in which one is missing or has another
// shape, or which holds a tensor that the model does not know, is an error.
//
// A Model is immutable and safe for concurrent use. What a sequence wants on top of the base (adapters) is part of the call.
//
// # Memory
//
// A model keeps its weights in the type of its file, those of linear layers mostly in an eighth to a quarter fewer bytes ([mat.CompactT]), an embedding that is
// also the head's weight twice, and from the first token on that is chosen greedily or with a top k the head in 8 bits besides. Of a sequence in progress every
// token so far takes 2·KVHeads·HeadSize numbers of 4 bytes in each decoder layer (46 KB in a SmolLM2-135M); so does, of an encoder-decoder model, every token of
// the input. A [Batch] has room for up to 512 more that are to come. All of it lies on Go's heap: runtime.MemStats counts it, and it is freed once nobody refers
// to it, but for up to 64 MB that the engine keeps for the weights that it packs next.
package model
