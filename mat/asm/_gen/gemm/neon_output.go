package main

// output adds m rows of sums to C or stores them; R14 is the address of C.
func (n neon) output(m, vecs int, add bool) {
	for i := range m {
		for j := 0; j < vecs; j += 2 {
			d := i*vecs + j
			if add {
				n.op("FLDPQ %d(R14), (F30, F31)", 16*j)
				n.fadd(d, 30, d)
				n.fadd(d+1, 31, d+1)
			}
			n.op("FSTPQ (F%d, F%d), %d(R14)", d, d+1, 16*j)
		}
		if i < m-1 {
			n.op("ADD R12, R14")
		}
	}
}

// tail is output for the columns of the last panel alone, lane by lane; R15 says whether to add.
func (n neon) tail(m int) {
	for i := range m {
		n.op("MOVD R14, R1")
		n.op("MOVD tail+80(FP), R10")
		for j := range n.vecs {
			n.op("VMOV V%d.B16, V31.B16", i*n.vecs+j)
			n.op("MOVD $4, R0")
			n.line("\nlane%dx%dx%d:", m, i, j)
			n.op("CBZ R15, lanestore%dx%dx%d", m, i, j)
			n.op("FMOVS (R1), F30")
			n.op("FADDS F31, F30, F30")
			n.op("FMOVS F30, (R1)")
			n.op("B lanenext%dx%dx%d", m, i, j)
			n.line("\nlanestore%dx%dx%d:", m, i, j)
			n.op("FMOVS F31, (R1)")
			n.line("\nlanenext%dx%dx%d:", m, i, j)
			n.op("ADD $4, R1")
			n.op("SUBS $1, R10")
			n.op("BEQ row%dx%d", m, i)
			n.op("VEXT $4, V31.B16, V31.B16, V31.B16")
			n.op("SUBS $1, R0")
			n.op("BNE lane%dx%dx%d", m, i, j)
		}
		n.line("\nrow%dx%d:", m, i)
		n.op("ADD R12, R14")
	}
}
