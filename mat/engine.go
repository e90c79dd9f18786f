package mat

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/polytropon/polytropon/mat/asm"
)

// An Engine computes: it is a set of kernels and a pool of workers. Its methods are safe for concurrent use; matrices that a call
// writes must not be used by another call at the same time.
type Engine struct {
	level      *asm.Level
	threads    int
	pool       *pool
	weights    store
	scratch    scratch
	works      spare[*work]
	tasks      spare[*gemmTask]
	attentions spare[*attentionTask]
	lowRanks   spare[*lowRankTask]
	screenings spare[*screening]
}

// Options chooses what an Engine uses.
type Options struct {
	Threads int    // how many goroutines share one call, the caller among them, at most 4096; 0 means runtime.GOMAXPROCS(0)
	Level   string // a kernel level of Levels; "" means the environment variable POLY_CPU, and where that is empty the best
}

// maxThreads is more than machines have processors: who asks for more made a mistake, and would wait for as many goroutines.
const maxThreads = 4096

// Levels returns the names of the kernel levels that this machine can run, the best first and "generic" last.
func Levels() []string {
	var names []string
	for _, l := range asm.Levels() {
		names = append(names, l.Name)
	}
	return names
}

// NewEngine returns an engine, which is to be closed when nobody uses it any more. It is an error to ask for a level that this machine lacks.
func NewEngine(o Options) (*Engine, error) {
	source := "level"
	if o.Level == "" {
		o.Level, source = os.Getenv("POLY_CPU"), "POLY_CPU"
	}
	level := asm.Levels()[0]
	if o.Level != "" {
		if level = asm.Find(o.Level); level == nil {
			return nil, fmt.Errorf("mat: %s: %q is not available here, want one of %s", source, o.Level, strings.Join(Levels(), ", "))
		}
	}
	if o.Threads < 0 || o.Threads > maxThreads {
		return nil, fmt.Errorf("mat: threads: got %d, want 0 ≤ threads ≤ %d", o.Threads, maxThreads)
	}
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	return &Engine{level: level, threads: o.Threads, pool: newPool(o.Threads - 1)}, nil
}

// Close ends the workers. It is idempotent. Calls in progress come to their end; later ones are computed by their callers alone.
func (e *Engine) Close() { e.pool.close() }

// Level returns the name of the kernels in use.
func (e *Engine) Level() string { return e.level.Name }

// Tile returns the rows and columns of the largest block of a product that the kernels hold in registers.
func (e *Engine) Tile() (rows, cols int) {
	t := e.level.Gemm.Tiles[0]
	return t.MR, t.NR
}

// Threads returns how many goroutines share one call.
func (e *Engine) Threads() int { return e.threads }

// Run calls t.Do(i) for 0 ≤ i < n and returns when all have returned. The caller takes part, helped by workers that are idle: inside
// a part, where they rarely are, Run does its parts one after another. A panic of a part reaches the caller once the others have
// ended.
func (e *Engine) Run(n int, t Task) { e.pool.run(n, t) }
