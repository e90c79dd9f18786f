package mat

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
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
// the median of turns that alternate. Run it with -benchtime 17x or so.
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
			turn := func(e *Engine, p *Packed) float64 {
				calls, start := 0, time.Now()
				for time.Since(start) < 150*time.Millisecond {
					e.Mul(y, x, p)
					calls++
				}
				return float64(calls) / time.Since(start).Seconds()
			}
			var first, second []float64
			for b.Loop() {
				first, second = append(first, turn(one, p1)), append(second, turn(two, p2))
			}
			b.ReportMetric(median(second)/median(first), "of-one-thread")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
