package column

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
)

// Numbers as tokens. A byte says how large a number is and what its two highest bits
// below the first one are; the rest, which repeats nowhere, is kept as bits. Where
// numbers are of many sizes this compresses better than planes, whose low bytes are
// those of small and of large numbers alike. (JPEG XL's hybrid integers: ISO/IEC
// 18181-1, annex C; with 6 bits below the first exponent.)

const (
	tokenSplit = 6 // numbers below 2^tokenSplit are their own tokens
	tokenHigh  = 2 // bits below the first one that are in the token
)

// maxTokenized is the greatest number that has a token: those are bytes.
const maxTokenized = 1<<54 - 1

// tokenBits returns how many bits a token has behind it, and the number that it
// stands for when they are 0.
func tokenBits(token byte) (n uint, number uint64) {
	if token < 1<<tokenSplit {
		return 0, uint64(token)
	}
	n = uint(token-1<<tokenSplit)>>tokenHigh + tokenSplit - tokenHigh
	return n, (1<<tokenHigh | uint64(token)&(1<<tokenHigh-1)) << n
}

// tokenTable is tokenBits of all tokens.
var tokenTable = func() (t [256]struct {
	bits   uint
	number uint64
}) {
	for i := range t {
		t[i].bits, t[i].number = tokenBits(byte(i))
	}
	return t
}()

// tokenOf returns a number's token and how many bits follow it.
func tokenOf(v uint64) (token byte, n uint) {
	if v < 1<<tokenSplit {
		return byte(v), 0
	}
	exponent := uint(bits.Len64(v)) - 1
	n = exponent - tokenHigh
	return byte(1<<tokenSplit + (exponent-tokenSplit)<<tokenHigh + uint(v>>n)&(1<<tokenHigh-1)), n
}

// appendTokens appends the tokens of numbers, none above maxTokenized, to tokens, and
// the bits that follow them to rest, the lowest first.
func appendTokens(tokens, rest []byte, numbers []uint64) ([]byte, []byte) {
	// Bits are written 8 bytes at a time, of which the whole ones stay: 7 bits that are
	// left over and the most that a number adds, 51, have room in a word.
	at := len(rest)
	rest = slices.Grow(rest, 8*len(numbers)+8)
	rest = rest[:cap(rest)]
	start := len(tokens)
	tokens = slices.Grow(tokens, len(numbers))[:start+len(numbers)]
	out := tokens[start:]
	var pending uint64
	var held uint
	for i, v := range numbers {
		token, n := tokenOf(v)
		out[i] = token
		pending |= v & (1<<n - 1) << held
		held += n
		binary.LittleEndian.PutUint64(rest[at:], pending)
		at += int(held / 8)
		pending >>= held &^ 7
		held &= 7
	}
	if held > 0 {
		at++
	}
	return tokens, rest[:at]
}

// joinTokens sets dst to the numbers of as many tokens and the bits that follow them.
func joinTokens(dst []uint64, tokens, rest []byte) error {
	total := 0
	for _, t := range tokens {
		total += int(tokenTable[t].bits)
	}
	if have := len(rest); have != (total+7)/8 {
		return fmt.Errorf("%d bytes of bits follow tokens that have %d", have, total)
	}
	at := uint(0)
	for i, token := range tokens[:len(dst)] {
		t := tokenTable[token]
		v := t.number
		if t.bits > 0 {
			v |= wordAt(rest, at/8) >> (at % 8) & (1<<t.bits - 1)
			at += t.bits
		}
		dst[i] = v
	}
	return nil
}

// wordAt returns 8 bytes from a place on, little-endian, with zeros behind the end.
func wordAt(b []byte, at uint) uint64 {
	if b = b[at:]; len(b) >= 8 {
		return binary.LittleEndian.Uint64(b)
	}
	var w [8]byte
	copy(w[:], b)
	return binary.LittleEndian.Uint64(w[:])
}
