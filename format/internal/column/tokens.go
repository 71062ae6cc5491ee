package column

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
)

// A token is a byte that holds the magnitude of a number and the two bits below its
// highest one. The remaining bits, which rarely repeat, are stored as they are. For
// numbers of many magnitudes this compresses better than planes, which mix the low bytes
// of small numbers with those of large ones. It is the hybrid integer coding of JPEG XL
// (ISO/IEC 18181-1, annex C), with numbers below 2^6 coded directly.

const (
	tokenSplit = 6 // numbers below 2^tokenSplit are their own tokens
	tokenHigh  = 2 // bits below the highest one that are in the token
)

// maxTokenized is the largest number that has a token.
const maxTokenized = 1<<54 - 1

// tokenBits returns the number of bits that follow a token, and the number that the token
// stands for if they are all 0.
func tokenBits(token byte) (n uint, number uint64) {
	if token < 1<<tokenSplit {
		return 0, uint64(token)
	}
	n = uint(token-1<<tokenSplit)>>tokenHigh + tokenSplit - tokenHigh
	return n, (1<<tokenHigh | uint64(token)&(1<<tokenHigh-1)) << n
}

// tokenTable holds the results of tokenBits for all tokens.
var tokenTable = func() (t [256]struct {
	bits   uint
	number uint64
}) {
	for i := range t {
		t[i].bits, t[i].number = tokenBits(byte(i))
	}
	return t
}()

// tokenOf returns the token of a number and how many bits follow it.
func tokenOf(v uint64) (token byte, n uint) {
	if v < 1<<tokenSplit {
		return byte(v), 0
	}
	exponent := uint(bits.Len64(v)) - 1
	n = exponent - tokenHigh
	return byte(1<<tokenSplit + (exponent-tokenSplit)<<tokenHigh + uint(v>>n)&(1<<tokenHigh-1)), n
}

// appendTokens appends the tokens of numbers to tokens, and the bits that follow them to
// rest, lowest first. No number may exceed maxTokenized.
func appendTokens(tokens, rest []byte, numbers []uint64) ([]byte, []byte) {
	// Each step writes 8 bytes and keeps the complete ones. At most 7 leftover bits and
	// the 51 bits that a number can add fit into a word.
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

// joinTokens sets dst to the numbers that the tokens and the bits in rest stand for.
func joinTokens(dst []uint64, tokens, rest []byte) error {
	total := 0
	for _, t := range tokens {
		total += int(tokenTable[t].bits)
	}
	if have := len(rest); have != (total+7)/8 {
		return fmt.Errorf("%d bytes of bits follow tokens that need %d bits", have, total)
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

// wordAt returns the 8 bytes from offset at, little-endian, with zeros past the end.
func wordAt(b []byte, at uint) uint64 {
	if b = b[at:]; len(b) >= 8 {
		return binary.LittleEndian.Uint64(b)
	}
	var w [8]byte
	copy(w[:], b)
	return binary.LittleEndian.Uint64(w[:])
}
