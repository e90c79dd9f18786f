package mat

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"
)

// spinning is set for the processes that BenchmarkBusyMachine starts.
const spinning = "MAT_SPIN"

func init() {
	if os.Getenv(spinning) == "" {
		return
	}
	runtime.GOMAXPROCS(2) // one to spin, one to see the benchmark's end
	go func() {
		for {
		}
	}()
	io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// BenchmarkBusyMachine measures products beside as many spinning processes as the machine has processors: the throughput of two threads over that of one,
// over all of some turns that alternate (the system gives a turn one share of the processors or quite another). Run it with -benchtime 41x or so.
func BenchmarkBusyMachine(b *testing.B) {
	one, two := newEngine(b, 1), newEngine(b, 2)
	for range runtime.NumCPU() {
		spinner := exec.Command(os.Args[0])
		spinner.Env = append(os.Environ(), spinning+"=1")
		in, err := spinner.StdinPipe()
		if err != nil {
			b.Fatal(err)
		}
		if err := spinner.Start(); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { in.Close(); spinner.Wait() })
	}
	for _, s := range []struct{ m, k, n int }{
		{64, 64, 64}, {128, 128, 128}, {256, 256, 256}, {512, 512, 512}, {1024, 1024, 1024},
		{512, 1024, 8}, {512, 1024, 16}, {512, 8, 1024}, {16, 2048, 2048}, {4, 2048, 2048}, {1, 4096, 4096}, {1, 576, 576},
	} {
		b.Run(fmt.Sprintf("%d·%d·%d", s.m, s.k, s.n), func(b *testing.B) {
			x, y, w := New(s.m, s.k), New(s.m, s.n), make([]float32, s.k*s.n)
			p1, p2 := Pack(one, w, s.k, s.n, s.n), Pack(two, w, s.k, s.n, s.n)
			var calls, seconds [2]float64
			turn := func(i int, e *Engine, p *Packed) {
				start := time.Now()
				for time.Since(start) < 150*time.Millisecond {
					e.Mul(y, x, p)
					calls[i]++
				}
				seconds[i] += time.Since(start).Seconds()
			}
			for b.Loop() {
				turn(0, one, p1)
				turn(1, two, p2)
			}
			b.ReportMetric(calls[1]/seconds[1]/(calls[0]/seconds[0]), "of-one-thread")
			b.ReportMetric(0, "ns/op")
		})
	}
}
