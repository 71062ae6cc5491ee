// Package table provides the hash table that counts hits.
package table

import (
	"math/bits"
	"math/rand/v2"
)

// hashSeed differs from run to run, so that no capture can be crafted whose keys
// all collide. The order of slots is not observable.
var hashSeed = rand.Uint64()

// A Table assigns consecutive numbers, from 0 in order of first use, to keys of a
// fixed number of words (at least 1). It is an open-addressing hash table. Counting
// looks up a key for every hit, and Go maps would take several times as long for
// keys of variable width.
type Table struct {
	words int      // of a key
	keys  []uint64 // of entry i: keys[i*words:][:words]
	slots []uint32 // entry+1; 0 is free
	shift uint     // 64 - log2(len(slots))
}

// New returns an empty table for keys of the given number of words.
func New(words int) *Table {
	const initial = 1 << 10
	return &Table{words: words, slots: make([]uint32, initial), shift: 64 - uint(bits.TrailingZeros(initial))}
}

// Len returns the number of keys.
func (t *Table) Len() int {
	return len(t.keys) / t.words
}

// Key returns key number i.
func (t *Table) Key(i int) []uint64 { return t.keys[i*t.words : (i+1)*t.words] }

// Reset removes all keys but keeps the memory.
func (t *Table) Reset() {
	t.keys = t.keys[:0]
	clear(t.slots)
}

func hashKey(key []uint64) uint64 {
	h := hashSeed
	for _, w := range key {
		hi, lo := bits.Mul64(h^w, 0xa0761d6478bd642f)
		h = hi ^ lo
	}
	return h * 0x9e3779b97f4a7c15
}

// Index returns the number of a key, adding the key if it is new. The table copies
// the key.
func (t *Table) Index(key []uint64) int {
	mask := uint64(len(t.slots) - 1)
	for s := hashKey(key) >> t.shift; ; s = (s + 1) & mask {
		e := t.slots[s]
		if e == 0 {
			t.slots[s] = uint32(t.Len() + 1)
			t.keys = append(t.keys, key...)
			if t.Len()*4 > len(t.slots)*3 {
				t.grow()
			}
			return t.Len() - 1
		}
		if equalKey(t.Key(int(e-1)), key) {
			return int(e - 1)
		}
	}
}

func equalKey(a, b []uint64) bool {
	for i, w := range a {
		if w != b[i] {
			return false
		}
	}
	return true
}

func (t *Table) grow() {
	t.slots = make([]uint32, 2*len(t.slots))
	t.shift--
	mask := uint64(len(t.slots) - 1)
	for i := range t.Len() {
		s := hashKey(t.Key(i)) >> t.shift
		for t.slots[s] != 0 {
			s = (s + 1) & mask
		}
		t.slots[s] = uint32(i + 1)
	}
}
