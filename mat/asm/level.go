package asm

// A Level is the set of kernels for one instruction set. It is immutable.
type Level struct {
	Name string // "generic", "avx2", "avx512" or "neon"
	Gemm Gemm
	Elem Elem
}

// Levels returns the levels that this machine can run, the best first and "generic" last.
func Levels() []*Level { return levels }

// Find returns the level of the given name, or nil where this machine cannot run it.
func Find(name string) *Level {
	for _, l := range levels {
		if l.Name == name {
			return l
		}
	}
	return nil
}

var generic = &Level{Name: "generic", Gemm: gemmGeneric, Elem: elemGeneric}
