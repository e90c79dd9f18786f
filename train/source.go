package train

import "encoding/binary"

// Purposes of draws, so that no two share a source.
const (
	shuffling = iota
	training
	evaluating
)

// sourceKey returns the key of a source of draws (a ChaCha8) for a purpose and two numbers.
func sourceKey(seed uint64, purpose, a, b int) (key [32]byte) {
	binary.LittleEndian.PutUint64(key[0:], seed)
	binary.LittleEndian.PutUint64(key[8:], uint64(purpose))
	binary.LittleEndian.PutUint64(key[16:], uint64(a))
	binary.LittleEndian.PutUint64(key[24:], uint64(b))
	return key
}
