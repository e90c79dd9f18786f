package main

// Where a row of B is one vector, each multiply-add has an element of A to load, and the loads bound the loop. So some rows of A are read four
// elements at a time, to every quarter of a register, and a shuffle broadcasts each: there is room for shuffles beside the multiply-adds. It also
// asks less often for lines that displace each other in the first-level cache. B is one panel that stays in the caches, and isn't fetched ahead.

// byFours reports whether a tile of m rows reads some of them by fours. Fewer rows wait for their own sums.
func (x x86) byFours(m int) bool { return x.many == fours && m > x.few }

// element broadcasts element u of row i of A, in a loop.
func (x x86) element(m, i, u int, l loop) {
	n := m - 1 - i // from the last row, those that are read by fours are the first
	if l == rest || !x.byFours(m) || n >= x.fours {
		x.op("VBROADCASTSS %s, %s", x.a(i, u), x.broadcast(i))
		return
	}
	four := x.v(x.regs - 3 - x.vecs - n)
	if u == 0 {
		load := map[string]string{"Y": "VBROADCASTF128", "Z": "VBROADCASTF32X4"}[x.prefix()]
		x.op("%s %s, %s", load, x.a(i, 0), four)
	}
	x.op("VPERMILPS $%#x, %s, %s", 0x55*u, four, x.broadcast(i))
}
