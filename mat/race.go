//go:build race

package mat

import (
	"runtime"
	"unsafe"
)

// raceRead tells the race detector, which cannot see into assembly, that m is read.
func raceRead(m Matrix) {
	eachRow(m, runtime.RaceReadRange)
}

// raceWrite tells the race detector that m is written.
func raceWrite(m Matrix) {
	eachRow(m, runtime.RaceWriteRange)
}

func eachRow(m Matrix, f func(addr unsafe.Pointer, bytes int)) {
	if m.Cols == 0 {
		return
	}
	for i := range m.Rows {
		f(unsafe.Pointer(&m.Data[i*m.Stride]), 4*m.Cols)
	}
}
