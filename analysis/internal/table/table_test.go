package table_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"trapline/analysis/internal/table"
)

// A table numbers keys like a map that counts its entries, through growing and resets.
func TestIndexNumbersKeys(t *testing.T) {
	for _, words := range []int{1, 2, 5} {
		tab := table.New(words)
		r := rand.New(rand.NewPCG(1, uint64(words)))
		for range 2 {
			numbers := make(map[string]int)
			for range 20000 {
				key := make([]uint64, words)
				for i := range key {
					key[i] = r.Uint64N(30) << (i * 20)
				}
				want, ok := numbers[fmt.Sprint(key)]
				if !ok {
					want = len(numbers)
					numbers[fmt.Sprint(key)] = want
				}
				if got := tab.Index(key); got != want {
					t.Fatalf("key %x has the number %d, want %d", key, got, want)
				}
				if got := fmt.Sprint(tab.Key(want)); got != fmt.Sprint(key) {
					t.Fatalf("Key(%d) is %s, want %v", want, got, key)
				}
				clear(key) // the table must have copied it
			}
			if tab.Len() != len(numbers) {
				t.Errorf("%d keys, want %d", tab.Len(), len(numbers))
			}
			if tab.Reset(); tab.Len() != 0 {
				t.Errorf("%d keys after a reset", tab.Len())
			}
		}
	}
}
