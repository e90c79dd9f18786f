// Package model opens base models from Hugging Face folders and computes with them.
//
// These model_types are known: t5, mt5 and umt5, encoder-decoders of the T5 family; llama, mistral, qwen2 and qwen3, decoders of the Llama family
// (SmolLM is a llama). config.json alone says which parameters there are and of what shapes; a folder in which one is missing or has another
// shape, or which holds a tensor that the model does not know, is an error.
//
// A Model is immutable and safe for concurrent use. What a sequence wants on top of the base (adapters) is part of the call.
package model
