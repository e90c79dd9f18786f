package main

import "slices"

// A regs hands out vector registers while the code of a group of vectors is written. A value has one register per vector.
type regs struct {
	free   []int
	of     map[*value][]int
	pinned map[*value]int // constants and the scalar that stay in a register
	homes  []int          // registers that hold values from one iteration to the next
	failed bool           // whether there were too few registers
}

func newRegs(from, to int, pinned map[*value]int) *regs {
	r := &regs{of: map[*value][]int{}, pinned: pinned}
	for i := to - 1; i >= from; i-- {
		r.free = append(r.free, i)
	}
	return r
}

// take returns a free register.
func (r *regs) take() int {
	if len(r.free) == 0 {
		r.failed = true
		return 0
	}
	i := len(r.free) - 1
	reg := r.free[i]
	r.free = r.free[:i]
	return reg
}

func (r *regs) give(reg int) {
	if !slices.Contains(r.homes, reg) {
		r.free = append(r.free, reg)
	}
}

// set makes reg the register of v in vector j.
func (r *regs) set(v *value, j, reg int) {
	if r.of[v] == nil {
		r.of[v] = slices.Repeat([]int{-1}, block)
	}
	r.of[v][j] = reg
}

// find returns the register of v in vector j, if it has one.
func (r *regs) find(v *value, j int) (int, bool) {
	if reg, ok := r.pinned[v]; ok {
		return reg, true
	}
	if r.of[v] == nil {
		return 0, false
	}
	return r.of[v][j], true
}

// dies says whether the instruction at position i is the last that uses v, so that its register may be written.
func (r *regs) dies(v *value, i int) bool {
	_, pinned := r.pinned[v]
	return v != nil && !pinned && v.op != constant && v.last == i
}

// release frees the registers of the arguments of v that die at position i, all but keep.
func (r *regs) release(v *value, i, j, keep int) {
	var done []int
	for _, a := range v.args() {
		if reg, ok := r.find(a, j); ok && r.dies(a, i) && reg != keep && !slices.Contains(done, reg) {
			r.give(reg)
			done = append(done, reg)
		}
	}
}
