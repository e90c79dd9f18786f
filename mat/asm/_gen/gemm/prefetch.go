package main

// A tile of few rows waits for memory: it fetches each row of B far ahead, to the first-level cache. (To the second-level cache it gains nothing,
// and both take longer than either.) Tiles of more rows read B from the second-level cache where there are many of them, and from memory where
// there is one: they fetch some rows ahead to the first-level cache, and far ahead to the second. What is read by fours isn't fetched.

// distances sets R9, and R14 where a tile of m rows fetches twice.
func (x x86) distances(m int) {
	if x.byFours(m) {
		return
	}
	far := "R9"
	if m > x.few {
		x.op("IMUL3Q $%d, R8, R9", x.ahead)
		far = "R14"
	}
	x.op("IMUL3Q $%d, R8, %s", x.far, far)
	x.op("CMPQ R8, $%d", x.nr()<<x.size())
	x.op("JEQ panel%d", m)
	x.note("where rows of B don't lie one after another, what lies beside them is fetched")
	x.op("MOVQ step+56(FP), %s", far)
	x.op("SHLQ $%d, %s", x.size(), far)
}

// prefetch fetches for the row of B that SI points to.
func (x x86) prefetch(m int) {
	if x.byFours(m) {
		return
	}
	for i := 0; i < x.nr()<<x.size(); i += 64 {
		x.op("PREFETCHT0 %d(SI)(R9*1)", i)
		if m > x.few {
			x.op("PREFETCHT1 %d(SI)(R14*1)", i)
		}
	}
}
