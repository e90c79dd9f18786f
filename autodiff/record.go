package autodiff

// Record appends an operation to the tape and returns it, to be filled in: *T has the method Backward. The memory of operations is used
// again after [Tape.Reset], and holds what it held. An operation that has no operand that needs a gradient is not recorded; nor is
// anything after Backward.
//
//	op := autodiff.Record[scaled](t)
//	*op = scaled{x, y, 2}
func Record[T any, P interface {
	*T
	Op
}](t *Tape) P {
	op := take[T](t)
	t.record(P(op))
	return op
}

func (t *Tape) record(op Op) {
	if t.spent {
		panic("autodiff: an operation after Backward without Reset")
	}
	t.ops = append(t.ops, recorded{op, len(t.gradients)})
}

// take returns a T in memory of the tape, valid until Reset.
func take[T any](t *Tape) *T {
	for _, p := range t.pools {
		if ops, ok := p.(*pool[T]); ok {
			return ops.next()
		}
	}
	ops := new(pool[T])
	t.pools = append(t.pools, ops)
	return ops.next()
}

type resetter interface{ reset() }

// A pool hands out structs and takes all back at once.
type pool[T any] struct {
	all  []*T
	used int
}

func (p *pool[T]) next() *T {
	if p.used == len(p.all) {
		p.all = append(p.all, new(T))
	}
	p.used++
	return p.all[p.used-1]
}

func (p *pool[T]) reset() { p.used = 0 }
