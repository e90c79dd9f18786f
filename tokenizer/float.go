package tokenizer

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// looseFloat reads a JSON number as the tokenizers package does: as many digits as fit into 64 bits, rounded, times or through a power of
// ten, rounded again. Scores that differ in the last place from the nearest float64 decide which of two equal paths is taken, so they have
// to be these.
func looseFloat(text string) (float64, error) {
	digits, negative := strings.CutPrefix(text, "-")
	digits, power, _ := strings.Cut(strings.ToLower(digits), "e")
	whole, fraction, _ := strings.Cut(digits, ".")
	significand, exponent := uint64(0), int64(0)
	// take adds a digit unless it does not fit.
	take := func(c rune) bool {
		high, digit := significand*10, uint64(c-'0')
		if significand > math.MaxUint64/10 || high+digit < high {
			return false
		}
		significand = high + digit
		return true
	}
	for i, c := range whole {
		if !take(c) {
			exponent = int64(len(whole) - i)
			break
		}
	}
	for _, c := range fraction {
		if !take(c) {
			break
		}
		exponent--
	}
	if power != "" {
		n, err := strconv.ParseInt(power, 10, 32)
		if err != nil {
			return 0, fmt.Errorf("got the number %s, want an exponent of 32 bits", quote(text))
		}
		exponent += n
	}
	f := float64(significand)
	for f != 0 && exponent < -308 {
		f /= 1e308
		exponent += 308
	}
	switch {
	case f == 0:
	case exponent < 0:
		f /= powerOfTen(-exponent)
	case exponent > 308:
		f = math.Inf(1)
	default:
		f *= powerOfTen(exponent)
	}
	if f > math.MaxFloat64 {
		return 0, fmt.Errorf("got the number %s, want one that fits into 64 bits", quote(text))
	}
	if negative {
		f = -f
	}
	return f, nil
}

// powerOfTen returns 10 to the n-th, at most the 308th, correctly rounded.
func powerOfTen(n int64) float64 {
	f, err := strconv.ParseFloat("1e"+strconv.FormatInt(n, 10), 64)
	if err != nil {
		panic(err)
	}
	return f
}
