package mat

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// A Task is work that an Engine shares among its workers.
type Task interface {
	// Do does part i. Parts run in any order, at the same time, on any worker.
	Do(i int)
}

// A pool is a fixed number of goroutines that help callers with their tasks. They are parked where there is nothing to do for a while.
//
// A caller hands its job only to workers that are idle, and does itself what nobody else has begun. So it never waits for a worker
// that is not at work, which makes calls from inside a part as safe as any: where every worker is busy they run inline.
type pool struct {
	workers int
	start   sync.Once
	stop    sync.Once
	closed  atomic.Bool
	idle    atomic.Int32 // workers that wait for a job and are not promised one
	jobs    chan *job
	spare   spare[*job]
	ahead   ahead
}

// A job is a task in progress.
type job struct {
	task     Task
	parts    int64
	begun    atomic.Int64 // parts that somebody has begun: the caller the first ones, workers the last ones, so that
	first    int          // what each of them reads lies close together;
	last     atomic.Int64 // the caller's next part, and the workers' latest
	done     atomic.Int64 // parts that have ended
	holders  atomic.Int32 // goroutines that will still look at the job
	finished chan struct{}
	panicked atomic.Pointer[any]
}

func newPool(workers int) *pool { return &pool{workers: workers, jobs: make(chan *job, workers)} }

// run is Engine.Run.
func (p *pool) run(n int, t Task) {
	helpers := 0
	if n > 1 && p.workers > 0 {
		p.start.Do(p.launch)
		helpers = p.claim(min(n-1, p.workers))
	}
	if helpers == 0 {
		for i := range n {
			t.Do(i)
		}
		return
	}
	j, ok := p.spare.take()
	if !ok {
		j = &job{finished: make(chan struct{}, 1)}
	}
	j.task, j.parts = t, int64(n)
	j.begun.Store(0)
	j.first = 0
	j.last.Store(int64(n))
	j.done.Store(0)
	j.holders.Store(int32(helpers) + 1)
	for range helpers {
		p.jobs <- j
	}
	if !j.work() {
		wait(j.finished, func() {})
	}
	failure := j.panicked.Load()
	p.release(j)
	if failure != nil {
		panic(*failure)
	}
}

func (p *pool) launch() {
	p.idle.Add(int32(p.workers))
	for range p.workers {
		go func() {
			for j := wait(p.jobs, p.ahead.read); j != nil; j = wait(p.jobs, p.ahead.read) {
				p.help(j)
				p.release(j)
				if p.closed.Load() && p.claim(1) > 0 {
					return // close found it at work
				}
			}
		}()
	}
}

// help does parts of j until none is left to begin. The worker counts as idle from before its last part ends, so that a caller who sees the end finds it.
func (p *pool) help(j *job) {
	for idle := false; !idle; {
		begun := j.begun.Add(1) <= j.parts
		if begun {
			j.do(int(j.last.Add(-1)))
		}
		if idle = j.begun.Load() >= j.parts; idle {
			p.idle.Add(1)
		}
		if begun && j.done.Add(1) == j.parts {
			j.finished <- struct{}{}
		}
	}
}

// patience is how long a goroutine looks for work, or for the end of others' work, before it is parked. In a forward pass one task follows another in
// less than 50 µs, unless the system holds up one of the threads; but to wake a worker whose core has gone to sleep as well takes 50 µs and, on a
// virtual machine, often several times as long, in which its share of some products is left to the others.
//
// From eager on it lets other threads of the system go first. On a busy machine the thread that waits is often on the processor of the one it waits for,
// and each would spend a time slice where the other needs it.
const (
	patience = 200 * time.Microsecond
	eager    = 50 * time.Microsecond
)

// wait receives from c, and looks often for a while before it sleeps, doing meanwhile between two looks.
func wait[T any](c <-chan T, meanwhile func()) T {
	start := time.Now()
	for waited := time.Duration(0); waited < patience; waited = time.Since(start) {
		if waited > eager {
			yield()
		}
		for range 32 {
			select {
			case v := <-c:
				return v
			default:
				meanwhile()
			}
		}
		runtime.Gosched()
	}
	return <-c
}

// close ends the workers: those that are idle now, the others themselves once they are. Later runs are inline.
func (p *pool) close() {
	p.stop.Do(func() {
		p.start.Do(func() {})
		p.closed.Store(true)
		for range p.claim(p.workers) {
			p.jobs <- nil
		}
	})
}

// claim reserves up to n idle workers; each must be sent a job.
func (p *pool) claim(n int) int {
	for {
		idle := p.idle.Load()
		n := min(int32(n), idle)
		if n <= 0 {
			return 0
		}
		if p.idle.CompareAndSwap(idle, idle-n) {
			return int(n)
		}
	}
}

// release gives up one hold on j; the last one makes it free for another task.
func (p *pool) release(j *job) {
	if j.holders.Add(-1) == 0 {
		j.task = nil
		j.panicked.Store(nil)
		p.spare.put(j)
	}
}

// work does parts for the caller until none is left to begin, and reports whether the last one to end was among them.
func (j *job) work() bool {
	for j.begun.Add(1) <= j.parts {
		j.do(j.first)
		j.first++
		if j.done.Add(1) == j.parts {
			return true
		}
	}
	return false
}

// do does one part and keeps the first panic.
func (j *job) do(i int) {
	defer func() {
		if r := recover(); r != nil {
			failure := r // a variable of its own, as its address makes it allocate
			j.panicked.CompareAndSwap(nil, &failure)
		}
	}()
	j.task.Do(i)
}

// A spare keeps values for reuse.
type spare[T any] struct {
	mu     sync.Mutex
	values []T
}

func (s *spare[T]) take() (v T, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.values) - 1
	if n < 0 {
		return v, false
	}
	v = s.values[n]
	s.values = s.values[:n]
	return v, true
}

func (s *spare[T]) put(v T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values = append(s.values, v)
}
