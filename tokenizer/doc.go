// Package tokenizer turns text into token ids and back, exactly as the Python packages do that models were trained with: from
// tokenizer.json files as the tokenizers package of Hugging Face, from SentencePiece .model files as the sentencepiece package. The two
// differ in places for one vocabulary; each file gives what its own package gives.
//
// # What is supported
//
// Of tokenizer.json: the models BPE (byte-level, or with byte fallback), Unigram and WordPiece; the normalizers BertNormalizer, Lowercase,
// NFC, NFD, NFKC, NFKD, Nmt, Precompiled, Prepend, Replace, Strip, StripAccents; the pre-tokenizers BertPreTokenizer, ByteLevel,
// CharDelimiterSplit, Digits, Metaspace, Punctuation, Split, Whitespace, WhitespaceSplit; the post-processors BertProcessing, ByteLevel,
// RobertaProcessing, TemplateProcessing; the decoders ByteFallback, ByteLevel, Fuse, Metaspace, Replace, Strip, WordPiece; a Sequence of
// each; and added tokens. Regular expressions are those that Go's regexp reads as Oniguruma does; besides, alternatives may end with a
// look-ahead for one character, (?!…) or (?=…), or with $, and groups (?i:…) of ASCII match in either case. Those of GPT-2, Llama 3 and
// Qwen2 take a tenth of the time of others. Of .model files: Unigram and BPE.
//
// Anything else is a [*FormatError] that names it. The sections for truncation and padding are checked but not applied.
//
// # Time
//
// Encoding takes time in proportion to the length of the text, for BPE times the logarithm of the longest stretch that is not split, and
// allocates nothing but the result, unless there are regular expressions other than those three.
//
// Opening a file takes time and memory in proportion to its size, whatever is in it; what its regular expressions and the normalizing of
// its added tokens may take beyond that is bounded. The limits are far above what real files have: 1 GB, 1000 steps of a kind, 1000 tokens
// around a text, 1000 bytes of what a step puts in one place or of a normalized added token. There are none for encoding: a normalizer that was made for it makes very much of a short text.
//
// # Text that is not UTF-8
//
// A tokenizer.json reads it as Python's bytes.decode(errors="replace") does: one U+FFFD for each longest beginning of a character. A
// SentencePiece model reads one for each byte.
package tokenizer
