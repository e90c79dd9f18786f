package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
)

// A product is a job as its line describes it.
type product struct{ m, k, n, count, beta int }

// operands returns a, b and c, as every peer makes them.
func (p product) operands() (a, b, c []float32) {
	a, b, c = make([]float32, p.count*p.m*p.k), make([]float32, p.count*p.k*p.n), make([]float32, p.count*p.m*p.n)
	fill(a, seedA)
	fill(b, seedB)
	fill(c, seedC)
	return a, b, c
}

// A golib is a peer written in Go: prepare returns what to repeat, and the result of the last repetition.
type golib struct {
	module  string
	prepare func(p product) (run func(), result func() []float32)
}

var golibs = map[string]golib{
	"gonum": {"gonum.org/v1/gonum", gonumProduct},
	"gomlx": {"github.com/gomlx/gomlx", gomlxProduct},
}

// serve is the line protocol of a peer.
func (l golib) serve(in io.Reader, out io.Writer) error {
	w := bufio.NewWriter(out)
	var last product
	var run func()
	var result func() []float32
	for lines := bufio.NewScanner(in); lines.Scan(); {
		verb, rest, _ := strings.Cut(lines.Text(), " ")
		var threads int
		var p product
		fmt.Sscan(rest, &threads)
		_, job, _ := strings.Cut(rest, " ")
		_, err := fmt.Sscanf(job, gemmJob, &p.m, &p.k, &p.n, &p.count, &p.beta)
		switch {
		case verb == "describe":
			fmt.Fprintln(w, l.describe())
		case err != nil:
			fmt.Fprintln(w, "skip only products")
		default:
			runtime.GOMAXPROCS(threads)
			if p != last || verb == "check" {
				run, result = l.prepare(p)
				last = p
			}
			if verb == "time" {
				fmt.Fprintln(w, seconds(run))
				break
			}
			run()
			fmt.Fprintln(w, len(result()))
			binary.Write(w, binary.LittleEndian, result())
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func (l golib) describe() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == l.module {
				return m.Path + " " + m.Version
			}
		}
	}
	return l.module
}
