package column

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Tokens preserve numbers of all magnitudes, including those next to powers of two.
func TestTokens(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	numbers := []uint64{0, 1, maxTokenized}
	for k := range 54 {
		for _, v := range []uint64{1<<k - 1, 1 << k, 1<<k + 1, random.Uint64() >> 10 >> (53 - k)} {
			numbers = append(numbers, v&maxTokenized)
		}
	}
	for n := range len(numbers) {
		list := numbers[:n]
		tokens, rest := appendTokens(nil, nil, list)
		if len(tokens) != n {
			t.Fatalf("%d numbers have %d tokens", n, len(tokens))
		}
		got := make([]uint64, n)
		if err := joinTokens(got, tokens, rest); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, list) {
			t.Fatalf("got %d, want %d", got, list)
		}
		if err := joinTokens(got, tokens, append(rest, 0)); err == nil {
			t.Error("a byte too many is accepted")
		}
		if len(rest) > 0 {
			if err := joinTokens(got, tokens, rest[:len(rest)-1]); err == nil {
				t.Error("a byte too few is accepted")
			}
		}
	}
}
