package mat_test

import (
	"fmt"
	"time"

	"github.com/polytropon/polytropon/mat"
)

// How many floating-point operations a second one core can do, and a product reaches.
func ExampleEngine_PeakProbe() {
	e := engine()
	defer e.Close()
	const n = 64
	a, c := mat.New(n, n), mat.New(n, n)
	b := mat.Pack(e, a.Data, n, n, n)

	start := time.Now()
	peak := float64(e.PeakProbe()) / time.Since(start).Seconds()
	start = time.Now()
	e.Mul(c, a, b)
	reached := 2 * n * n * n / time.Since(start).Seconds()
	fmt.Println(peak > 0, reached > 0)
	// Output: true true
}

// The same for the kernel, which waits for no memory.
func ExampleEngine_KernelProbe() {
	e := engine()
	defer e.Close()
	const flops = 1e6
	start := time.Now()
	e.KernelProbe(flops)
	fmt.Println(flops/time.Since(start).Seconds() > 0)
	// Output: true
}

// How fast weights can be read, in two parts one after the other and each in four streams.
func ExampleEngine_ReadProbe() {
	e := engine()
	defer e.Close()
	b := mat.Pack(e, make([]float32, 256*256), 256, 256, 256)
	start := time.Now()
	for part := range 2 {
		e.ReadProbe(b, part, 2, 4)
	}
	fmt.Println(float64(b.Bytes())/time.Since(start).Seconds() > 0)
	// Output: true
}
