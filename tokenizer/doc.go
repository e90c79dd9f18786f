// Package tokenizer turns text into token ids and back.
package tokenizer
