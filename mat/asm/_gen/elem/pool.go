package main

import (
	"math"
	"slices"
)

// A pool is the table of constants of a file; entries are bit patterns.
type pool struct{ bits []uint32 }

// index returns the entry of f, which it adds where it is missing.
func (p *pool) index(f float32) int { return p.indexBits(math.Float32bits(f)) }

func (p *pool) indexBits(b uint32) int {
	i := slices.Index(p.bits, b)
	if i < 0 {
		i = len(p.bits)
		p.bits = append(p.bits, b)
	}
	return i
}

// A tables is the list of tables of a file.
type tables struct{ list [][8]float32 }

// index returns the number of a table, which it adds where it is missing.
func (t *tables) index(table [8]float32) int {
	i := slices.Index(t.list, table)
	if i < 0 {
		i = len(t.list)
		t.list = append(t.list, table)
	}
	return i
}

// data writes the tables, 32 bytes each.
func (t *tables) data(out *text, name string) {
	for k, table := range t.list {
		for i := 0; i < len(table); i += 2 {
			low, high := bitsOf(table[i]), bitsOf(table[i+1])
			out.line("DATA %s<>+%d(SB)/8, $%#08x%08x // %s, %s", name, 32*k+4*i, high, low, describe(low), describe(high))
		}
	}
	out.line("GLOBL %s<>(SB), RODATA|NOPTR, $%d", name, 32*len(t.list))
}
