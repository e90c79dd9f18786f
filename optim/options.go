package optim

import (
	"fmt"
	"math"
)

// positive returns an error unless v is a finite number above 0.
func positive(name string, v float64) error {
	if v > 0 && !math.IsInf(v, 1) {
		return nil
	}
	return fmt.Errorf("optim: %s: got %v, want a finite number > 0", name, v)
}

// notNegative returns an error unless v is a finite number, 0 or above.
func notNegative(name string, v float64) error {
	if v >= 0 && !math.IsInf(v, 1) {
		return nil
	}
	return fmt.Errorf("optim: %s: got %v, want a finite number ≥ 0", name, v)
}

// fraction returns an error unless 0 ≤ v < 1.
func fraction(name string, v float64) error {
	if v >= 0 && v < 1 {
		return nil
	}
	return fmt.Errorf("optim: %s: got %v, want at least 0 and less than 1", name, v)
}
