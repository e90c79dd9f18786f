// Command polybench verifies, measures and inspects Poly and MHR adapters on the CPU.
//
//	polybench                 verify an embedded model and adapter, then measure a T5-small shape with and without an adapter
//	polybench verify …        compare with what PEFT computed
//	polybench inspect PATH    describe a .safetensors file, a model folder or an adapter folder
//	polybench tokenize        turn lines into token ids, or ids into text
//	polybench gemm            measure matrix products
//	polybench attention       measure attention, forward and backward
//	polybench generate        continue a prompt
//	polybench decode          measure decoding with a cache, of a Llama shape
//	polybench train           measure training steps, or train a small adapter
//	polybench elem            measure element and row functions
//
// The exit status is 0, 1 where something failed, or 2 where the command line was wrong.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/polytropon/polytropon/mat"
)

const usage = `usage:
  polybench [-threads N] [-level L]                      verify an embedded example, then measure a T5-small shape
  polybench verify -model DIR -adapter DIR [-second DIR] -reference FILE [-json]
                                                         compare with what PEFT computed
  polybench inspect [-layer MODULE] PATH                 describe a .safetensors file, a model folder or an adapter folder
  polybench tokenize -tokenizer FILE [-special=false] [-decode] [-json] <INPUT
                                                         turn lines into JSON arrays of token ids, or with -decode these into text;
                                                         with -json a text is a JSON string
  polybench gemm [-rows TEXT] [-samples N] [-json]       measure matrix products, as a share of what multiply-adds reach
  polybench attention [-rows TEXT] [-samples N] [-json]  measure attention, forward and backward, as such a share
  polybench generate -model DIR [-adapter DIR -task N] -prompt TEXT [-max-new-tokens N] [-ids]
                                                         continue a prompt; print the text and tokens/s, or with -ids a JSON array of the new ids
  polybench decode [-samples N] [-json]                  measure decoding with a cache, of a Llama shape, in tokens/s
  polybench train [-seconds N]                           measure training steps of a T5-small shape
  polybench train -demo [-seconds N | -steps N] [-seed N] [-out DIR]
                                                         train an MHR adapter on small tasks for a minute, save it and show what each task uses
  polybench elem [-rows TEXT] [-samples N] [-json]       measure element and row functions, in GB/s read and written

flags of all but inspect and tokenize:
  -threads N   goroutines that share the work (default: all cores)
  -level L     kernels: avx512, avx2, neon or generic (default: the environment variable POLY_CPU, else the best)
`

func main() {
	err := run(context.Background(), os.Args[1:], os.Stdout)
	switch {
	case err == nil:
	case errors.As(err, new(usageError)):
		fmt.Fprintf(os.Stderr, "polybench: %v\n%s", err, usage)
		os.Exit(2)
	default:
		fmt.Fprintf(os.Stderr, "polybench: %v\n", err)
		os.Exit(1)
	}
}

// A usageError says what is wrong with the command line.
type usageError string

func (e usageError) Error() string { return string(e) }

// run runs one command line and writes what it prints to w.
func run(ctx context.Context, args []string, w io.Writer) error {
	out := &output{w: w}
	err := command(ctx, args, out)
	if errors.Is(err, flag.ErrHelp) {
		_, err = io.WriteString(out, usage)
	}
	return cmp.Or(err, out.err)
}

// An output remembers that writing failed, so that those who print need not look.
type output struct {
	w   io.Writer
	err error
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (n int, err error) {
	if o.err == nil {
		n, o.err = o.w.Write(p)
	}
	return n, o.err
}

func command(ctx context.Context, args []string, w io.Writer) error {
	name, rest := "", args
	if len(args) > 0 {
		name, rest = args[0], args[1:]
	}
	switch name { // an interrupt ends these at once, also where they wait for input
	case "inspect":
		return inspect(rest, w)
	case "tokenize":
		return tokenize(rest, os.Stdin, w)
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends those at once that do not ask ctx just then
	switch name {
	case "verify":
		return verify(ctx, rest, w)
	case "gemm":
		return gemm(ctx, rest, w)
	case "attention":
		return attention(ctx, rest, w)
	case "elem":
		return elem(ctx, rest, w)
	case "generate":
		return generateText(ctx, rest, w)
	case "decode":
		return decode(ctx, rest, w)
	case "train":
		return trainAdapter(ctx, rest, w)
	}
	return bench(ctx, args, w)
}

// parse parses the flags of one command, with at most max other arguments.
func parse(fs *flag.FlagSet, args []string, max int) error {
	fs.SetOutput(io.Discard)
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return err
	case err != nil:
		return usageError(err.Error())
	case fs.NArg() > max:
		return usageError(fmt.Sprintf("unexpected argument %q", fs.Arg(max)))
	}
	return nil
}

// given returns the names of the flags that the command line has.
func given(fs *flag.FlagSet) map[string]bool {
	names := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { names[f.Name] = true })
	return names
}

// engineFlags adds the flags that choose an engine.
func engineFlags(fs *flag.FlagSet) *mat.Options {
	var o mat.Options
	fs.IntVar(&o.Threads, "threads", 0, "")
	fs.StringVar(&o.Level, "level", "", "")
	return &o
}
