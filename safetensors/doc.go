// Package safetensors reads and writes the safetensors file format, strictly.
//
// A file is an 8-byte little-endian length N, N bytes of JSON (the header) and the tensors' data. The header maps each
// tensor's name to its dtype, shape and place in the data; the optional key __metadata__ holds a map of strings. Values are
// little-endian and in C order: the last index varies fastest.
//
// # What is accepted
//
// [Open], [OpenFS], [NewReader] and [OpenFolder] check the whole header before any data is read, and allocate nothing in
// proportion to a number that a file merely claims. Opening takes at most four times the header's size in memory. They refuse
// whatever the reference implementation (huggingface/safetensors) refuses, and also:
//
//   - duplicate keys anywhere, even where both describe the same bytes;
//   - control characters in tensor names (an empty name is accepted);
//   - more than 64 dimensions;
//   - shapes whose nonzero dimensions multiply to more than an int holds, even where another dimension is zero;
//   - a tensor described by an array instead of an object;
//   - values nested more than four deep.
//
// As in the reference, white space may surround the header, "__metadata__": null means no metadata, unknown keys in a
// tensor's description are ignored (but must be well-formed), and tensors may have rank 0 or zero-sized dimensions.
// Tensors must cover the data exactly: no holes, no overlaps, no trailing bytes. The header is at most 100 000 000 bytes long.
// Values are not checked: a BOOL may hold 2, a float may be a NaN.
//
// # Memory
//
// By default each [File.Tensor] reads its bytes into fresh memory aligned to 64 bytes, which belongs to the caller. With the
// option [Mmap] it returns a read-only view of the mapped file instead. [File.TensorTo] reads into memory that is there.
package safetensors
