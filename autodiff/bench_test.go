package autodiff

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/polytropon/polytropon/mat"
)

// feed is T5's feed-forward layer: x + ReLU(norm(x)·up)·down.
type feed struct {
	norm     Value
	up, down *mat.Packed
}

func (f *feed) Forward(t *Tape, x Value) Value {
	h := t.Apply(ReLU, t.MulPacked(t.RMSNorm(x, f.norm, 1e-6), f.up))
	return t.PlusMulPacked(x, h, f.down)
}

// BenchmarkFeedForward computes six feed-forward layers of T5-small's shape, with frozen weights, over 1024 rows, forward and backward, and
// the same products alone.
func BenchmarkFeedForward(b *testing.B) {
	const rows, dim, inner, layers = 1024, 512, 2048, 6
	for _, c := range []struct {
		name    string
		threads int
		again   bool
	}{{"1 thread", 1, false}, {"2 threads", 2, false}, {"2 threads, computed again", 2, true}} {
		b.Run(c.name, func(b *testing.B) {
			e := engineOf(b, mat.Options{Threads: c.threads})
			rnd := rand.New(rand.NewPCG(1, 2))
			x := param(rnd, rows, dim)
			f := feed{
				norm: Constant(random(rnd, 1, dim)),
				up:   mat.Pack(e, random(rnd, dim, inner).Data, dim, inner, inner),
				down: mat.Pack(e, random(rnd, inner, dim).Data, inner, dim, dim),
			}
			tape := NewTape(e)
			step := func() {
				tape.Reset()
				v := tape.Param(x)
				for range layers {
					if c.again {
						v = Recompute(tape, f, v)
					} else {
						v = f.Forward(tape, v)
					}
				}
				tape.Backward(tape.Total(v), 1)
			}
			forwards := 1
			if c.again {
				forwards = 2
			}
			narrow, wide := random(rnd, rows, dim), mat.New(rows, inner)
			products := func() {
				for range layers {
					for range forwards {
						e.Mul(wide, narrow, f.up)
						e.Mul(narrow, wide, f.down)
					}
					e.MulT(wide, narrow, f.down)
					e.MulT(narrow, wide, f.up)
				}
			}
			step()
			var alone time.Duration
			b.ReportAllocs()
			for b.Loop() {
				step()
				start := time.Now()
				b.StopTimer()
				products()
				b.StartTimer()
				alone += time.Since(start)
			}
			perStep := b.Elapsed().Seconds() / float64(b.N)
			b.ReportMetric(1e3*alone.Seconds()/float64(b.N), "ms-products")
			b.ReportMetric(100*alone.Seconds()/float64(b.N)/perStep, "%products")
		})
	}
}
