package addrmap_test

import (
	"math/rand/v2"
	"testing"

	"trapline/internal/addrmap"
)

func TestOwner(t *testing.T) {
	m := addrmap.New([]addrmap.Span{
		{Low: 40, High: 50, Owner: 4},
		{Low: 10, High: 30, Owner: 1},
		{Low: 15, High: 20, Owner: 2},
		{Low: 15, High: 20, Owner: 3, Depth: 1}, // same bounds, deeper
		{Low: 30, High: 40, Owner: 5},           // adjacent
		{Low: 60, High: 60, Owner: 6},           // empty
	})
	for addr, want := range map[uint64]int32{
		0: -1, 9: -1, 10: 1, 14: 1, 15: 3, 19: 3, 20: 1, 29: 1, 30: 5, 39: 5, 40: 4, 49: 4, 50: -1, 60: -1, 1 << 63: -1,
	} {
		if got := m.Owner(addr); got != want {
			t.Errorf("owner of %d is %d, want %d", addr, got, want)
		}
	}
	if got := addrmap.New(nil).Owner(1); got != -1 {
		t.Errorf("an empty map has owner %d", got)
	}
}

// TestNested compares maps of random nested spans with a search through all of them.
func TestNested(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var spans []addrmap.Span
		var nest func(low, high uint64, depth int32)
		nest = func(low, high uint64, depth int32) {
			for low < high && depth < 6 {
				start := low + random.Uint64N(high-low)
				end := start + 1 + random.Uint64N(high-start)
				spans = append(spans, addrmap.Span{Low: start, High: end, Owner: int32(len(spans)), Depth: depth})
				nest(start, end, depth+1)
				low = end
			}
		}
		nest(1, 200, 0)
		var want [202]int32
		for addr := range want {
			want[addr] = -1
			deepest := int32(-1)
			for _, s := range spans {
				if uint64(addr) >= s.Low && uint64(addr) < s.High && s.Depth > deepest {
					want[addr], deepest = s.Owner, s.Depth
				}
			}
		}
		random.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
		m := addrmap.New(spans)
		for addr, owner := range want {
			if got := m.Owner(uint64(addr)); got != owner {
				t.Fatalf("owner of %d is %d, want %d, in %v", addr, got, owner, spans)
			}
		}
	}
}
