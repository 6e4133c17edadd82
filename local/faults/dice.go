package faults

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
	"strconv"
)

// roll is a number from 0 to below 1 that depends on its arguments only, and evenly.
func roll(seed int64, kind string, about ...string) float64 {
	return float64(hash(append([]string{strconv.FormatInt(seed, 10), kind}, about...)...)>>11) / (1 << 53)
}

func hash(parts ...string) uint64 {
	h := sha256.New()
	for _, part := range parts {
		_, _ = io.WriteString(h, strconv.Itoa(len(part))+":"+part) // a hash never fails
	}
	return binary.BigEndian.Uint64(h.Sum(nil))
}
