// Command gemm writes the assembly of the matrix-product kernels of package asm. What kernels there are is in levels.go and neon.go, and kernel.go explains what sets
// them apart; registers.go tells what each register holds and fetch.go what is fetched ahead. x86_*.go and neon_*.go write the functions, compact_*.go those of compact
// weights on x86. Run it in mat/asm/_gen:
//
//	go run ./gemm
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
		{"gemm_avx512_amd64.s", avx512.file()},
		{"gemm_avx2_amd64.s", avx2.file()},
		{"gemm_neon_arm64.s", neonFile()},
	}
}
