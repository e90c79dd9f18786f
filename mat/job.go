package mat

import "sync/atomic"

// A job is a task in progress. Its parts are divided into shares that lie in one piece, one for the caller and one for each worker that is hired, so that
// what one of them reads lies close together; who is done with its own share helps with the others.
type job struct {
	shares   []share // of the task at hand; there is room for one per thread
	parts    int64
	finished chan struct{} // receives if the caller sleeps when the last part ends
	panicked atomic.Pointer[any]
	_        [cacheLine]byte
	done     atomic.Int64 // parts that have ended, as far as who did them has said so
	holders  atomic.Int32 // workers that may still look at the job
	asleep   atomic.Bool  // the caller waits for finished
	_        [cacheLine]byte
}

// A share is the parts of a job that one goroutine does first.
type share struct {
	rest  atomic.Uint64 // those that nobody has begun: the first one, and in the upper half the one behind the last
	task  Task
	job   *job
	index uint32
	told  bool    // ahead is what will be needed after the job, if anything
	ahead reading // it is the worker's, while one is hired
	_     [cacheLine]byte
}

func newJob(threads int) *job {
	return &job{shares: make([]share, 0, threads), finished: make(chan struct{}, 1)}
}

// set makes j a job of n parts, fewer than 2³².
func (j *job) set(n, shares int, t Task) {
	j.parts = int64(n)
	j.done.Store(0)
	j.shares = j.shares[:shares]
	for i := range j.shares {
		s := &j.shares[i]
		s.rest.Store(uint64(firstPart(n, shares, i+1))<<32 | uint64(firstPart(n, shares, i)))
		s.job, s.index, s.task, s.told = j, uint32(i), t, false
	}
}

// firstPart is the first of n parts that share i has. The caller, who begins first, gets no fewer than another.
func firstPart(n, shares, i int) int {
	return int((uint64(n)*uint64(i) + uint64(shares) - 1) / uint64(shares))
}

// clear forgets the task, once all parts have ended.
func (j *job) clear() {
	for i := range j.shares {
		j.shares[i].task = nil
	}
	j.shares[0].ahead = reading{}
}

// wait returns when all parts of j have ended, of which the caller has done n.
func (j *job) wait(n int64) {
	j.done.Add(n)
	ended := func() bool { return j.done.Load() == j.parts }
	if spin(ended, &j.shares[0].ahead) {
		return
	}
	j.asleep.Store(true)
	if !ended() || !j.asleep.CompareAndSwap(true, false) {
		<-j.finished // who sets asleep back sends it
	}
}

// end says that a worker has done n parts of j and looks at it no more.
func (j *job) end(n int64) {
	if n > 0 && j.done.Add(n) == j.parts && j.asleep.CompareAndSwap(true, false) {
		j.finished <- struct{}{}
	}
	j.holders.Add(-1)
}

// work does parts until there is none that nobody has begun, those of s first, and returns how many.
func (s *share) work() (done int64) {
	for i, ok := s.first(); ok; i, ok = s.first() {
		s.do(i)
		done++
	}
	shares := s.job.shares
	for k := 1; k < len(shares); k++ {
		other := &shares[(int(s.index)+k)%len(shares)]
		for i, ok := other.last(); ok; i, ok = other.last() {
			s.do(i)
			done++
		}
	}
	return done
}

// first takes the first part that is left.
func (s *share) first() (int, bool) {
	rest := s.rest.Add(1) // where there is none this does no harm
	i := uint32(rest) - 1
	return int(i), i < uint32(rest>>32)
}

// last takes the last part that is left.
func (s *share) last() (int, bool) {
	for {
		rest := s.rest.Load()
		first, end := uint32(rest), uint32(rest>>32)
		if first >= end {
			return 0, false
		}
		if s.rest.CompareAndSwap(rest, rest-1<<32) {
			return int(end - 1), true
		}
	}
}

// do does one part. The job keeps the first panic.
func (s *share) do(i int) {
	defer func() {
		if r := recover(); r != nil {
			failure := r // a variable of its own, as its address makes it allocate
			s.job.panicked.CompareAndSwap(nil, &failure)
		}
	}()
	s.task.Do(i)
}
