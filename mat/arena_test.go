package mat

import (
	"math/rand/v2"
	"testing"
	"unsafe"
)

func TestArenaMatricesDoNotOverlap(t *testing.T) {
	var p Arena
	rnd := rand.New(rand.NewPCG(4, 4))
	for range 3 {
		var all []Matrix
		var marks []Mark
		var held []int // len(all) at each mark
		for i := range 200 {
			switch rnd.IntN(8) {
			case 0:
				marks, held = append(marks, p.Mark()), append(held, len(all))
			case 1:
				if n := len(marks) - 1; n >= 0 {
					p.Release(marks[n])
					all, marks, held = all[:held[n]], marks[:n], held[:n]
				}
			default:
				rows, cols := rnd.IntN(300), rnd.IntN(300)
				if i%50 == 7 {
					rows, cols = 2000, 1000 // more than a slab
				}
				m := p.Matrix(rows, cols)
				if m.Rows != rows || m.Cols != cols {
					t.Fatalf("got %s, want %d×%d", m.Shape(), rows, cols)
				}
				for j := range m.Data {
					m.Data[j] = float32(len(all))
				}
				all = append(all, m)
			}
		}
		for i, m := range all {
			for _, x := range m.Data {
				if x != float32(i) {
					t.Fatalf("matrix %d of %d was overwritten by matrix %v", i, len(all), x)
				}
			}
		}
		p.Release(Mark{})
	}
}

func TestArenaUsesItsMemoryAgain(t *testing.T) {
	var p Arena
	first := p.Matrix(3, 5)
	if at := uintptr(unsafe.Pointer(&p.Matrix(3, 5).Data[0])); at%64 != 0 {
		t.Errorf("the second matrix begins at %x, want a cache line", at)
	}
	m := p.Mark()
	second := p.Matrix(1500, 1000)
	p.Release(m)
	if &p.Matrix(1500, 1000).Data[0] != &second.Data[0] {
		t.Error("released memory is not used again")
	}
	p.Release(Mark{})
	if &p.Matrix(1, 1).Data[0] != &first.Data[0] {
		t.Error("memory is not used again from its start")
	}
}

func TestArenaOfEverLargerMatrices(t *testing.T) {
	var p Arena
	const largest = 3 << 20
	for rows := 1 << 20; rows <= largest; rows += 1 << 16 {
		p.Release(Mark{})
		p.Matrix(1000, 1000)
		m := p.Mark()
		p.Matrix(rows, 1)
		p.Release(m)
		p.Matrix(2*rows, 1)
	}
	size := 0
	for _, s := range p.slabs {
		size += len(s)
	}
	if most := 2*largest + slabSize; size > most {
		t.Errorf("an arena of %d values in %d slabs, want at most %d", size, len(p.slabs), most)
	}
}
