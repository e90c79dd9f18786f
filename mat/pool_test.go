package mat

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

type taskFunc func(i int)

func (f taskFunc) Do(i int) { f(i) }

func newEngine(t testing.TB, threads int) *Engine {
	e, err := NewEngine(Options{Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func TestRun(t *testing.T) {
	for threads := 1; threads <= 4; threads++ {
		e := newEngine(t, threads)
		for n := range 20 {
			done := make([]atomic.Int32, n)
			e.Run(n, taskFunc(func(i int) { done[i].Add(1) }))
			for i := range done {
				if d := done[i].Load(); d != 1 {
					t.Fatalf("%d threads: part %d of %d done %d times", threads, i, n, d)
				}
			}
		}
	}
}

// TestRunNested runs tasks inside parts, from many goroutines at once.
func TestRunNested(t *testing.T) {
	e := newEngine(t, 3)
	var done atomic.Int32
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 50 {
				e.Run(5, taskFunc(func(int) {
					e.Run(4, taskFunc(func(int) {
						e.Run(3, taskFunc(func(int) { done.Add(1) }))
					}))
				}))
			}
		})
	}
	callers.Wait()
	if d := done.Load(); d != 8*50*5*4*3 {
		t.Fatalf("%d parts done, want %d", d, 8*50*5*4*3)
	}
}

func TestRunPanic(t *testing.T) {
	e := newEngine(t, 2)
	for range 100 {
		var begun, ended atomic.Int32
		func() {
			defer func() {
				if r := recover(); r != "part 3" {
					t.Fatalf("recovered %v, want part 3", r)
				}
				if begun.Load() != ended.Load() {
					t.Fatal("the panic came before the other parts had ended")
				}
			}()
			e.Run(8, taskFunc(func(i int) {
				if i == 3 {
					panic("part 3")
				}
				begun.Add(1)
				time.Sleep(10 * time.Microsecond)
				ended.Add(1)
			}))
		}()
	}
	// The pool works on.
	TestRun(t)
}

func TestClose(t *testing.T) {
	e := newEngine(t, 3)
	e.Close() // before the workers have started
	e = newEngine(t, 3)
	e.Run(3, taskFunc(func(int) {}))
	e.Close()
	e.Close()
}

// TestCloseEndsWorkers closes engines whose workers have yet to notice that the last call has ended.
func TestCloseEndsWorkers(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 100 {
		e := newEngine(t, 4)
		for range 3 {
			e.Run(8, taskFunc(func(int) {}))
		}
		e.Close()
	}
	n := 0
	for range 1000 {
		if n = runtime.NumGoroutine() - before; n <= 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d workers are left of 100 engines that are closed", n)
}

// TestCloseAmidCalls wants all parts done, of calls that an engine is closed under and of later ones.
func TestCloseAmidCalls(t *testing.T) {
	for range 50 {
		e := newEngine(t, 3)
		var done atomic.Int32
		var callers sync.WaitGroup
		for range 2 {
			callers.Go(func() {
				for range 20 {
					e.Run(8, taskFunc(func(int) { done.Add(1) }))
				}
			})
		}
		e.Close()
		callers.Wait()
		e.Run(8, taskFunc(func(int) { done.Add(1) }))
		if got, want := done.Load(), int32(2*20*8+8); got != want {
			t.Fatalf("got %d parts done, want %d", got, want)
		}
	}
}

// await waits for parts that others do, but not for ever.
func await(parts *sync.WaitGroup) {
	ended := make(chan struct{})
	go func() { parts.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		panic("nobody does them")
	}
}

// TestRunAgain runs tasks whose parts wait for one another, one right after the other: workers that have done a part are there for the next task.
func TestRunAgain(t *testing.T) {
	e := newEngine(t, 3)
	for range 2000 {
		var meeting sync.WaitGroup
		meeting.Add(3)
		e.Run(3, taskFunc(func(int) {
			meeting.Done()
			await(&meeting)
		}))
	}
}

// TestRunHelps lets the first part of the caller's share, or of a worker's, wait for all other parts: whoever is ready does them.
func TestRunHelps(t *testing.T) {
	e := newEngine(t, 2)
	for range 500 {
		for _, held := range []int{0, 4} {
			for e.pool.idle() == 0 { // a worker that came too late for anything may not have noticed
				runtime.Gosched()
			}
			var others sync.WaitGroup
			others.Add(7)
			e.Run(8, taskFunc(func(i int) {
				if i == held {
					await(&others)
				} else {
					others.Done()
				}
			}))
		}
	}
}

// TestRunWakes runs tasks whose workers, or whose caller, are asleep when they are needed.
func TestRunWakes(t *testing.T) {
	e := newEngine(t, 3)
	for i := range 60 {
		if i%2 == 0 {
			time.Sleep(2 * patience)
		}
		var done atomic.Int32
		e.Run(3, taskFunc(func(part int) {
			if part > 0 {
				time.Sleep(2 * patience)
			}
			done.Add(1)
		}))
		if d := done.Load(); d != 3 {
			t.Fatalf("%d parts done, want 3", d)
		}
	}
}

type countTask struct{ n atomic.Int64 }

func (c *countTask) Do(int) { c.n.Add(1) }

func TestRunAllocates(t *testing.T) {
	e := newEngine(t, 2)
	task := new(countTask)
	if n := testing.AllocsPerRun(200, func() { e.Run(4, task); runtime.Gosched() }); n != 0 {
		t.Errorf("Run: %v allocations", n)
	}
	if n := testing.AllocsPerRun(200, func() { e.Return(e.Borrow(1000)) }); n != 0 {
		t.Errorf("Borrow: %v allocations", n)
	}
}

func BenchmarkRun(b *testing.B) {
	e := newEngine(b, 2)
	task := new(countTask)
	for b.Loop() {
		e.Run(2, task)
	}
}
