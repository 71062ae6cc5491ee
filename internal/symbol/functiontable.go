package symbol

import (
	"cmp"
	"debug/elf"
	"strings"

	"trapline/internal/addrmap"
)

// A functionTable combines the symbol tables of an image.
type functionTable struct {
	symbols  []symbol    // by address; of one address the best name first
	segments addrmap.Map // owners are indices of symbols
}

// better compares symbols of one address. It is negative if a is the better name, by the
// rules of perf (choose_best_symbol in tools/perf/util/symbol.c).
func better(a, b *symbol) int {
	first := func(a, b bool) int {
		switch {
		case a && !b:
			return -1
		case b && !a:
			return 1
		}
		return 0
	}
	return cmp.Or(
		first(a.size > 0, b.size > 0),
		first(a.bind != elf.STB_WEAK, b.bind != elf.STB_WEAK),
		first(a.bind == elf.STB_GLOBAL, b.bind == elf.STB_GLOBAL),
		cmp.Compare(underscores(a.name), underscores(b.name)),
		cmp.Compare(len(b.name), len(a.name)),
		cmp.Compare(a.name, b.name))
}

func underscores(name string) int {
	return len(name) - len(strings.TrimLeft(name, "_"))
}

// setSizes extends symbols without a size to the next symbol, and cuts all symbols at the end
// of their section or, without one, their segment.
func (t *functionTable) setSizes(segmentEnd func(addr uint64) uint64) {
	next := ^uint64(0)
	for i := len(t.symbols) - 1; i >= 0; i-- {
		s := &t.symbols[i]
		if i+1 < len(t.symbols) && t.symbols[i+1].addr > s.addr {
			next = t.symbols[i+1].addr
		}
		limit := s.limit
		if limit == 0 {
			limit = segmentEnd(s.addr)
		}
		if s.size == 0 {
			limit = min(limit, next)
			s.label = true
		}
		if room := limit - s.addr; s.size == 0 || s.size > room {
			s.size = room
		}
	}
}

// spans returns the range of the best symbol of each address. It omits symbols with a
// guessed size inside of a symbol with a known size.
func (t *functionTable) spans() []addrmap.Span {
	spans := make([]addrmap.Span, 0, len(t.symbols))
	var last, sizedEnd uint64
	for i, s := range t.symbols {
		if i > 0 && s.addr == last {
			continue
		}
		last = s.addr
		if s.label && s.addr < sizedEnd {
			continue
		}
		end := s.addr + s.size
		if !s.label {
			sizedEnd = max(sizedEnd, end)
		}
		spans = append(spans, addrmap.Span{Low: s.addr, High: end, Owner: int32(i)})
	}
	return spans
}

// find returns the symbol at an address, or nil.
func (t *functionTable) find(addr uint64) *symbol {
	if i := t.segments.Owner(addr); i >= 0 {
		return &t.symbols[i]
	}
	return nil
}
