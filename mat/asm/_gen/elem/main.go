// Command elem writes the element and row kernels of package asm: portable Go, and assembly for AVX2, AVX-512 and NEON. A kernel is
// described once, in kernels.go, as a straight line of vector operations; portable.go, x86_*.go and neon_*.go make code of it. Run it in
// mat/asm/_gen:
//
//	go run ./elem
package main

import (
	"log"
	"os"
)

func main() {
	for _, f := range files() {
		if err := os.WriteFile("../"+f.name, f.text, 0o666); err != nil {
			log.Fatal(err)
		}
	}
}

type file struct {
	name string
	text []byte
}

// files returns every generated file.
func files() []file {
	return []file{
		{"elem_generic.go", portable()},
		{"elem_amd64.go", stubs("AVX512", "AVX2")},
		{"elem_avx512_amd64.s", avx512.file()},
		{"elem_avx2_amd64.s", avx2.file()},
		{"elem_arm64.go", stubs("NEON")},
		{"elem_neon_arm64.s", neon.file()},
	}
}
