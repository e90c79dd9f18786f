package mat

import (
	"runtime"
	"slices"
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
//
// Two cores may be far from each other, and a cache line that one has written takes the other a tenth of a microsecond or more. So what a worker needs in
// order to begin lies in few of them, and what it counts is its own.
type pool struct {
	helpers []helper
	start   sync.Once
	stop    sync.Once
	closed  atomic.Bool

	mu    sync.Mutex // of what follows
	jobs  []*job     // for reuse; some workers may still look at them
	ahead []reading  // what Engine.Ahead has told last, for each share of the next job; empty if nothing
}

// A helper is one of the goroutines.
type helper struct {
	share  atomic.Pointer[share] // what it is to do, which a caller sets; nil while it is idle
	asleep atomic.Bool           // it waits for wake
	wake   chan struct{}
	_      [cacheLine]byte
}

// cacheLine keeps what different cores write apart.
const cacheLine = 64

// ending is the share of a helper that has ended or is to end.
var ending = new(share)

func newPool(helpers int) *pool {
	p := &pool{helpers: make([]helper, helpers)}
	for i := range p.helpers {
		p.helpers[i].wake = make(chan struct{}, 1)
	}
	return p
}

// run is Engine.Run.
func (p *pool) run(n int, t Task) {
	idle := 0
	if n > 1 && len(p.helpers) > 0 {
		p.start.Do(p.launch)
		idle = p.idle()
	}
	if idle == 0 {
		for i := range n {
			t.Do(i)
		}
		return
	}
	j := p.job(n, min(n, idle+1), t)
	p.hire(j)
	j.wait(j.shares[0].work())
	failure := j.panicked.Swap(nil)
	p.put(j)
	if failure != nil {
		panic(*failure)
	}
}

// launch starts the helpers.
func (p *pool) launch() {
	for i := range p.helpers {
		go p.serve(&p.helpers[i])
	}
}

// serve does what h is hired for, until the pool is closed.
func (p *pool) serve(h *helper) {
	var ahead reading
	for {
		s := h.next(&ahead)
		if s == ending {
			return
		}
		n := s.work()
		j := s.job
		if s.told {
			ahead, s.ahead = s.ahead, reading{}
		}
		h.share.Store(nil) // before the job may end: whoever sees its end finds h idle
		j.end(n)
		if p.closed.Load() && h.share.CompareAndSwap(nil, ending) {
			return // close found it at work
		}
	}
}

// next returns what h is to do once there is something. Meanwhile it reads ahead.
func (h *helper) next(ahead *reading) *share {
	if !spin(func() bool { return h.share.Load() != nil }, ahead) {
		*ahead = reading{}
		h.asleep.Store(true)
		if h.share.Load() == nil || !h.asleep.CompareAndSwap(true, false) {
			<-h.wake // who sets asleep back sends it
		}
	}
	return h.share.Load()
}

// hire gives s to h, and reports whether h was idle.
func (h *helper) hire(s *share) bool {
	if !h.share.CompareAndSwap(nil, s) {
		return false
	}
	if h.asleep.CompareAndSwap(true, false) {
		h.wake <- struct{}{}
	}
	return true
}

// idle returns how many helpers are idle.
func (p *pool) idle() (n int) {
	for i := range p.helpers {
		if p.helpers[i].share.Load() == nil {
			n++
		}
	}
	return n
}

// hire hands all shares of j but the caller's to helpers, the same ones to the same helpers if they are idle. Those that nobody takes are left to all.
func (p *pool) hire(j *job) {
	shares := j.shares[1:]
	for i := 0; i < len(p.helpers) && len(shares) > 0; i++ {
		if p.helpers[i].hire(&shares[0]) {
			shares = shares[1:]
		}
	}
	if len(shares) > 0 {
		j.holders.Add(-int32(len(shares)))
	}
}

// job returns a job of n parts, to be held by the workers that are hired for it: one for each share but the caller's.
func (p *pool) job(n, shares int, t Task) *job {
	p.mu.Lock()
	defer p.mu.Unlock()
	var j *job
	if i := slices.IndexFunc(p.jobs, func(j *job) bool { return j.holders.CompareAndSwap(0, int32(shares-1)) }); i >= 0 {
		j = p.jobs[i]
		p.jobs = slices.Delete(p.jobs, i, i+1)
	} else {
		j = newJob(len(p.helpers) + 1)
		j.holders.Store(int32(shares - 1))
	}
	j.set(n, shares, t)
	for i := range p.ahead[:min(shares, len(p.ahead))] {
		j.shares[i].ahead, j.shares[i].told = p.ahead[i], true
	}
	clear(p.ahead)
	p.ahead = p.ahead[:0]
	return j
}

// put keeps j, which has ended, for reuse.
func (p *pool) put(j *job) {
	j.clear()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.jobs = append(p.jobs, j)
}

// close ends the workers: those that are idle now, the others themselves once they are. Later runs are inline.
func (p *pool) close() {
	p.stop.Do(func() {
		p.start.Do(func() {})
		p.closed.Store(true)
		for i := range p.helpers {
			p.helpers[i].hire(ending)
		}
	})
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
	looks    = 512 // between two of these decisions
)

// spin looks whether something is ready and reads ahead meanwhile. It reports whether it became ready before patience ended.
func spin(ready func() bool, ahead *reading) bool {
	var start time.Time
	for {
		for range looks {
			if ready() {
				return true
			}
			ahead.some()
		}
		switch now := time.Now(); {
		case start.IsZero():
			start = now
		case now.Sub(start) > patience:
			return false
		case now.Sub(start) > eager:
			yield()
		}
		runtime.Gosched()
	}
}
