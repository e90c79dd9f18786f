package tokenizer

import (
	"encoding/binary"
	"errors"
	"math"
)

// The wire types of protocol buffers.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

var errProtobuf = errors.New("got a broken protocol buffer, want a SentencePiece model, or a JSON object")

// A message is an encoded protocol buffer.
type message []byte

// A protoField is a field of a message: bytes for wireBytes, else a number.
type protoField struct {
	number uint64
	wire   int
	n      uint64
	bytes  []byte
}

// fields yields the fields in the order of the message.
func (m message) fields(yield func(protoField) error) error {
	for len(m) > 0 {
		key, size := binary.Uvarint(m)
		if size <= 0 {
			return errProtobuf
		}
		m = m[size:]
		f := protoField{number: key >> 3, wire: int(key & 7)}
		switch f.wire {
		case wireVarint:
			f.n, size = binary.Uvarint(m)
		case wireFixed64:
			size = 8
		case wireFixed32:
			if size = 4; len(m) >= size {
				f.n = uint64(binary.LittleEndian.Uint32(m))
			}
		case wireBytes:
			var n uint64
			if n, size = binary.Uvarint(m); size > 0 {
				if n > uint64(len(m)-size) {
					return errProtobuf
				}
				f.bytes = m[size : size+int(n)]
				size += int(n)
			}
		default:
			return errProtobuf
		}
		if size <= 0 || size > len(m) {
			return errProtobuf
		}
		m = m[size:]
		if err := yield(f); err != nil {
			return err
		}
	}
	return nil
}

// text, flag, float and message return the value of a field of that type.
func (f protoField) text() (string, error) {
	if f.wire != wireBytes {
		return "", errProtobuf
	}
	return string(f.bytes), nil
}

func (f protoField) flag() (bool, error) {
	if f.wire != wireVarint {
		return false, errProtobuf
	}
	return f.n != 0, nil
}

func (f protoField) float() (float32, error) {
	if f.wire != wireFixed32 {
		return 0, errProtobuf
	}
	return math.Float32frombits(uint32(f.n)), nil
}

func (f protoField) message() (message, error) {
	if f.wire != wireBytes {
		return nil, errProtobuf
	}
	return f.bytes, nil
}
