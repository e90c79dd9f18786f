//go:build !purego && !noasm

package asm

import "github.com/klauspost/cpuid/v2"

var levels = detect()

func detect() []*Level {
	levels := []*Level{generic}
	if !cpuid.CPU.Supports(cpuid.AVX2, cpuid.FMA3, cpuid.F16C) {
		return levels
	}
	levels = append([]*Level{avx2}, levels...)
	if !cpuid.CPU.Supports(cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512DQ, cpuid.AVX512VL) {
		return levels
	}
	return append([]*Level{avx512}, levels...)
}

var (
	avx2   = &Level{Name: "avx2", Gemm: gemmAVX2, Elem: elemAVX2}
	avx512 = &Level{Name: "avx512", Gemm: gemmAVX512, Elem: elemAVX512}
)
