package main

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

func gonumProduct(p product) (run func(), result func() []float32) {
	mk, kn, mn := p.m*p.k, p.k*p.n, p.m*p.n
	a, b, c := p.operands()
	run = func() {
		for i := range p.count {
			gonum.Implementation{}.Sgemm(blas.NoTrans, blas.NoTrans, p.m, p.n, p.k, 1, a[i*mk:], p.k, b[i*kn:], p.n, float32(p.beta), c[i*mn:], p.n)
		}
	}
	return run, func() []float32 { return c }
}
