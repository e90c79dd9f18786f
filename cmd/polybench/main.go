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
	"strings"

	"github.com/polytropon/polytropon/mat"
)

func main() {
	err := run(context.Background(), os.Args[1:], os.Stdout)
	switch {
	case err == nil:
	case errors.As(err, new(usageError)):
		fmt.Fprintf(os.Stderr, "polybench: %v\n%s\n", err, hint(commandOf(os.Args[1:])))
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
		_, err = io.WriteString(out, usage(commandOf(args)))
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

// commandOf returns the name of the command that a command line begins with, "" where it begins with a flag or has nothing.
func commandOf(args []string) string {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return ""
	}
	return args[0]
}

func command(ctx context.Context, args []string, w io.Writer) (err error) {
	name, rest := commandOf(args), args
	if name != "" {
		rest = args[1:]
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
	defer func() {
		if cause := context.Cause(ctx); errors.Is(err, context.Canceled) && cause != nil && !errors.Is(err, cause) {
			err = cause // that it was interrupted
		}
	}()
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
	case "":
		return bench(ctx, args, w)
	case "help":
		return flag.ErrHelp
	}
	return usageError(fmt.Sprintf("unknown command %q", name))
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

// newEngine returns the engine that the flags choose.
func newEngine(o *mat.Options) (*mat.Engine, error) {
	e, err := mat.NewEngine(*o)
	if err != nil && *o != (mat.Options{}) { // else POLY_CPU is wrong
		return nil, usageError(err.Error())
	}
	return e, err
}
