//go:build !purego && !noasm

package asm

import "github.com/klauspost/cpuid/v2"

// What is fastest differs between cores that have the same instructions. Where it matters the kernels do as is best on the cores of Intel or, on all others, of AMD.
// The assembly reads isIntel, and those of these variables that no Go code reads.
var isIntel = cpuid.CPU.VendorID == cpuid.Intel

// farAVX512 and farAVX2 are how many bytes ahead kernels that wait for memory fetch B. Intel's cores fetch streams by themselves and have room for few lines
// that they are told to fetch: those that come from memory keep others waiting.
var farAVX512, farAVX2 = pick[uintptr](3<<10, 6<<10), pick[uintptr](3<<10, 12<<10)

// fewFarAVX512 is the same for kernels of some more rows.
var fewFarAVX512 = pick[uintptr](12<<10, 6<<10)

// boundsFar and boundsNear are the same for Bounds: how far ahead B is fetched into the second-level cache, and into the first. On AMD's cores only the latter does
// anything: 0 is the line at hand.
var boundsFar, boundsNear = pick[uintptr](3<<10, 0), pick[uintptr](512, 8<<10)

// blockValues is Gemm.BlockValues: half of the second-level cache, but no less than half a megabyte.
var blockValues = max(1<<17, cpuid.CPU.Cache.L2/8)

// bounds512 and bounds512MR are Gemm.Bounds and BoundsMR of AVX-512, most of whose machines multiply and add integers in one instruction.
var bounds512, bounds512MR = func() (Bounds, int) {
	if cpuid.CPU.Supports(cpuid.AVX512VNNI) {
		return boundsVNNIAVX512, 8
	}
	return boundsAVX512, 4
}()

func pick[T any](intel, amd T) T {
	if isIntel {
		return intel
	}
	return amd
}
