package main

import (
	"fmt"
	"strings"
)

// usages are the commands: their command lines, and what they do.
var usages = []struct{ name, line, does string }{
	{"", "[-threads N] [-level L]", "verify an embedded example, then measure a T5-small shape"},
	{"verify", "-model DIR -adapter DIR [-second DIR] -reference FILE [-json]", "compare with what PEFT computed"},
	{"inspect", "[-layer MODULE] PATH", "describe a .safetensors file, a model folder or an adapter folder"},
	{"tokenize", "-tokenizer FILE [-special=false] [-json] <INPUT", "turn lines into JSON arrays of token ids; with -json a line is a JSON string"},
	{"tokenize", "-tokenizer FILE -decode [-special] [-json] <INPUT", "turn such arrays into text; with -json into JSON strings"},
	{"gemm", "[-rows TEXT] [-samples N] [-json]", "measure matrix products, as a share of what multiply-adds reach"},
	{"attention", "[-rows TEXT] [-samples N] [-json]", "measure attention, forward and backward, as such a share"},
	{"generate", "-model DIR [-adapter DIR -task N] -prompt TEXT [-max-new-tokens N] [-drafts=false] [-ids]",
		"continue a prompt; print the text and tokens/s, or with -ids a JSON array of the new ids"},
	{"decode", "[-samples N] [-json]", "measure decoding with a cache, of a Llama shape, in tokens/s"},
	{"train", "[-seconds N]", "measure training steps of a T5-small shape"},
	{"train", "-demo [-seconds N | -steps N] [-seed N] [-out DIR]",
		"train an MHR adapter on small tasks for a minute, save it and show what each task uses"},
	{"elem", "[-rows TEXT] [-samples N] [-json]", "measure element and row functions, in GB/s read and written"},
}

// flagUsages are the flags of the commands whose lines have them.
var flagUsages = []struct{ flag, does string }{
	{"-model DIR", "the base model: config.json, model.safetensors and, to generate, its tokenizer"},
	{"-adapter DIR", "the adapter: adapter_config.json and adapter_model.safetensors"},
	{"-second DIR", "another adapter on the same model, for the reference's tensors logits_second and logits_both"},
	{"-reference FILE", "a .safetensors file: int64 input_ids, attention_mask (padding on the right, of a decoder-only model on the left), task_ids,\nof an encoder-decoder model decoder_input_ids; and what PEFT computed of them, at least logits (sequences × tokens × ids)"},
	{"-layer MODULE", "of an adapter: the routing of this module, not the mean of all"},
	{"-tokenizer FILE", "a tokenizer.json or a SentencePiece model"},
	{"-special=false", "without the tokens that the tokenizer puts around a text"},
	{"-special", "with the special tokens, which are otherwise left out of a text"},
	{"-decode", "from ids to text"},
	{"-task N", "of the adapter (default 0)"},
	{"-prompt TEXT", "what is continued; of an encoder-decoder model what is encoded"},
	{"-max-new-tokens N", "at most so many (default 64)"},
	{"-drafts=false", "a step for every token, for comparison"},
	{"-ids", "print a JSON array of the new ids only"},
	{"-demo", "train, rather than measure"},
	{"-seconds N", "how long (default 30, with -demo 60)"},
	{"-steps N", "so many steps, with the same bits on every machine"},
	{"-seed N", "of the draws (default 1)"},
	{"-out DIR", "where the adapter is saved (default: a folder of its own under the system's temporary one)"},
	{"-rows TEXT", "only the rows whose name, as printed, has TEXT in it"},
	{"-samples N", "measurements of each row (default 15)"},
	{"-json", "JSON in place of text"},
}

const engineUsage = `  -threads N          goroutines that share the work (default: all cores)
  -level L            kernels: avx512, avx2, neon or generic (default: the environment variable POLY_CPU, else the best)
`

// hint says where a command's usage is to be had, or that of all where there is none of that name.
func hint(name string) string {
	for _, u := range usages {
		if u.name == name && name != "" {
			return fmt.Sprintf("See \"polybench %s -h\".", name)
		}
	}
	return `See "polybench -h".`
}

// usage returns how a command is used, or all of them where there is none of that name.
func usage(name string) string {
	var text, lines strings.Builder
	text.WriteString("usage:\n")
	for _, u := range usages {
		if name != "" && u.name != name {
			continue
		}
		line := strings.TrimRight("polybench "+u.name, " ") + " " + u.line
		lines.WriteString(line + " ")
		fmt.Fprintf(&text, "  %s\n        %s\n", line, strings.ReplaceAll(u.does, "\n", "\n        "))
	}
	if lines.Len() == 0 {
		return usage("")
	}
	if name == "" {
		return text.String() + "\npolybench COMMAND -h describes the flags of a command. Flags of all but inspect and tokenize:\n" + engineUsage
	}
	text.WriteString("\nflags:\n")
	for _, f := range flagUsages {
		flag, _, _ := strings.Cut(f.flag, " ")
		if has(lines.String(), flag) {
			fmt.Fprintf(&text, "  %-18s  %s\n", f.flag, strings.ReplaceAll(f.does, "\n", "\n"+strings.Repeat(" ", 22)))
		}
	}
	if name != "inspect" && name != "tokenize" {
		text.WriteString(engineUsage)
	}
	return text.String()
}

// has tells whether a command line has a flag.
func has(line, flag string) bool {
	for word := range strings.FieldsSeq(line) {
		if strings.Trim(word, "[]") == flag {
			return true
		}
	}
	return false
}
