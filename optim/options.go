package optim

import (
	"fmt"
	"math"
)

// finite returns an error unless v is finite and above least, or at it where closed.
func finite(name string, v, least float64, closed bool) error {
	if (v > least || closed && v == least) && !math.IsInf(v, 1) {
		return nil
	}
	sign := ">"
	if closed {
		sign = "≥"
	}
	return fmt.Errorf("optim: %s: got %v, want a finite number %s %v", name, v, sign, least)
}

// fraction returns an error unless 0 ≤ v < 1.
func fraction(name string, v float64) error {
	if v >= 0 && v < 1 {
		return nil
	}
	return fmt.Errorf("optim: %s: got %v, want at least 0 and less than 1", name, v)
}
