package optim

import (
	"fmt"
	"math"
)

// Steps compute in float32, so that is what the numbers are checked as: a small eps that is 0 there would divide 0 by 0.

// positive returns an error unless v is a number above 0 that float32 holds.
func positive(name string, v float64) error {
	if float32(v) > 0 && v <= math.MaxFloat32 {
		return nil
	}
	return fmt.Errorf("optim: %s: got %v, want a positive number that float32 holds", name, v)
}

// notNegative returns an error unless v is a number, 0 or above, that float32 holds.
func notNegative(name string, v float64) error {
	if v >= 0 && v <= math.MaxFloat32 {
		return nil
	}
	return fmt.Errorf("optim: %s: got %v, want a number ≥ 0 that float32 holds", name, v)
}

// fraction returns an error unless 0 ≤ v < 1, also when rounded to a float32.
func fraction(name string, v float64) error {
	if v >= 0 && float32(v) < 1 {
		return nil
	}
	return fmt.Errorf("optim: %s: got %v, want a float32 of at least 0 and less than 1", name, v)
}
