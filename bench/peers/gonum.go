package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// serveGonum is the line protocol of a peer, for gonum.
func serveGonum(in io.Reader, out io.Writer) error {
	w := bufio.NewWriter(out)
	var last product
	var run func()
	var c []float32
	for lines := bufio.NewScanner(in); lines.Scan(); {
		verb, rest, _ := strings.Cut(lines.Text(), " ")
		var threads int
		var p product
		fmt.Sscan(rest, &threads)
		_, job, _ := strings.Cut(rest, " ")
		_, err := fmt.Sscanf(job, gemmJob, &p.m, &p.k, &p.n, &p.count, &p.beta)
		switch {
		case verb == "describe":
			fmt.Fprintln(w, describeGonum())
		case err != nil:
			fmt.Fprintln(w, "skip only products")
		default:
			runtime.GOMAXPROCS(threads)
			if p != last || verb == "check" {
				run, c = p.prepare()
				last = p
			}
			if verb == "time" {
				fmt.Fprintln(w, seconds(run))
				break
			}
			run()
			fmt.Fprintln(w, len(c))
			binary.Write(w, binary.LittleEndian, c)
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// A product is a job as its line describes it.
type product struct{ m, k, n, count, beta int }

func (p product) prepare() (run func(), c []float32) {
	operand := func(seed uint32, n int) []float32 {
		x := make([]float32, n)
		fill(x, seed)
		return x
	}
	mk, kn, mn := p.m*p.k, p.k*p.n, p.m*p.n
	a, b, c := operand(seedA, p.count*mk), operand(seedB, p.count*kn), operand(seedC, p.count*mn)
	return func() {
		for i := range p.count {
			gonum.Implementation{}.Sgemm(blas.NoTrans, blas.NoTrans, p.m, p.n, p.k, 1, a[i*mk:], p.k, b[i*kn:], p.n, float32(p.beta), c[i*mn:], p.n)
		}
	}, c
}

func describeGonum() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "gonum.org/v1/gonum" {
				return "gonum " + m.Version
			}
		}
	}
	return "gonum"
}
