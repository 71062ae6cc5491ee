package unwind

import (
	"cmp"
	"slices"
	"sort"

	"trapline/internal/gotable"
)

// A RuleRange is a rule that holds from an offset of the file up to the next range.
type RuleRange struct {
	Offset uint64 // bytes
	Rule   Rule   // RuleNone: call Image.Rule for each offset
}

// Ranges returns the rules of all code of an image, ordered by offset. Each is what Rule
// returns within its range, or RuleNone where that does not come from a table. If there
// are more than limit, ok is false and no rules are returned.
func (m *Image) Ranges(limit int) (ranges []RuleRange, ok bool) {
	var all []span
	for _, s := range m.sources() {
		t, ok := s.(table)
		if !ok {
			continue
		}
		known := len(all)
		t.spans(func(from, to uint64, r *row) bool {
			if from < to && m.executable(from) && !overlaps(all[:known], from, to) {
				all = appendRules(all, from, to, r)
			}
			return len(all) <= limit
		})
		if len(all) > limit {
			return nil, false
		}
		slices.SortStableFunc(all, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	}
	for i := range m.loads {
		p := &m.loads[i]
		for _, r := range p.restorers.all() {
			// The adjacent bytes count, too: see returnsFromSignal.
			all = cut(all, p.Vaddr+r.start-1, p.Vaddr+r.end+1)
		}
	}
	return m.ranges(all, limit)
}

// A table is a source that can list its rows.
type table interface {
	// spans yields rows with the addresses they hold for. Where rows of two frame
	// descriptions overlap, the later one holds.
	spans(yield func(from, to uint64, r *row) bool)
}

type span struct {
	from, to uint64 // virtual addresses
	rule     Rule
}

// overlaps reports whether ordered spans contain any of the addresses.
func overlaps(spans []span, from, to uint64) bool {
	i := sort.Search(len(spans), func(i int) bool { return spans[i].to > from })
	return i < len(spans) && spans[i].from < to
}

// maxComputed limits the code whose CFA is computed from the program counter for each
// byte: procedure linkage tables.
const maxComputed = 1 << 18

func appendRules(all []span, from, to uint64, r *row) []span {
	if r.cfa.expression == nil {
		return append(all, span{from, to, r.rule(from)})
	}
	for at := from; at < min(to, from+maxComputed); at++ {
		rule := r.rule(at)
		if n := len(all); n > 0 && all[n-1].to == at && all[n-1].rule == rule && at > from {
			all[n-1].to++
		} else {
			all = append(all, span{at, at + 1, rule})
		}
	}
	return all
}

// cut removes addresses from ordered spans.
func cut(spans []span, from, to uint64) []span {
	var kept []span
	for _, s := range spans {
		if s.to <= from || s.from >= to {
			kept = append(kept, s)
			continue
		}
		if s.from < from {
			kept = append(kept, span{s.from, from, s.rule})
		}
		if s.to > to {
			kept = append(kept, span{to, s.to, s.rule})
		}
	}
	return kept
}

// ranges converts addresses to file offsets and fills the gaps.
func (m *Image) ranges(spans []span, limit int) ([]RuleRange, bool) {
	var ranges []RuleRange
	add := func(vaddr uint64, r Rule) {
		p := m.segment(vaddr)
		if p == nil {
			return
		}
		next := RuleRange{vaddr - p.Vaddr + p.Off, r}
		if n := len(ranges); n == 0 || ranges[n-1].Rule != r {
			ranges = append(ranges, next)
		}
	}
	for i, s := range spans {
		to := s.to
		if i+1 < len(spans) {
			to = min(to, spans[i+1].from)
		}
		if to <= s.from {
			continue
		}
		add(s.from, s.rule)
		if i+1 == len(spans) || spans[i+1].from > to {
			add(to-1, s.rule)
			if end := m.end(to); end != 0 {
				ranges = append(ranges, RuleRange{Offset: end})
			}
		}
		if len(ranges) > limit {
			return nil, false
		}
	}
	slices.SortStableFunc(ranges, func(a, b RuleRange) int { return cmp.Compare(a.Offset, b.Offset) })
	return ranges, true
}

// end returns the file offset of the end of code.
func (m *Image) end(vaddr uint64) uint64 {
	p := m.segment(vaddr - 1)
	if p == nil {
		return 0
	}
	return vaddr - p.Vaddr + p.Off
}

// spans implements table.
func (s *ehFrame) spans(yield func(from, to uint64, r *row) bool) {
	for i := uint64(0); i < s.count; i++ {
		at, ok := s.pointer(2*i + 1)
		if !ok {
			continue
		}
		next := uint64(1<<64 - 1)
		if i+1 < s.count {
			if begin, ok := s.pointer(2 * (i + 1)); ok {
				next = begin
			}
		}
		if f, ok := s.fde(at - s.addr); ok && !f.spans(next, yield) {
			return
		}
	}
}

// spans implements table.
func (x *frameIndex) spans(yield func(from, to uint64, r *row) bool) {
	functions := x.functions()
	for i := range functions {
		next := uint64(1<<64 - 1)
		if i+1 < len(functions) {
			next = functions[i+1].begin
		}
		if f, ok := x.fde(functions[i].fde); ok && !f.spans(next, yield) {
			return
		}
	}
}

// spans yields the rows of one frame description up to the start of the next one.
func (f fde) spans(next uint64, yield func(from, to uint64, r *row) bool) bool {
	p := programs.Get().(*program)
	defer programs.Put(p)
	p.start(f)
	end := min(f.begin+f.size, next)
	for from := f.begin; from < end; {
		to, more := p.next(from)
		if r, ok := p.result(); ok && !yield(from, min(to, end), &r) {
			return false
		}
		if !more || to <= from {
			break
		}
		from = to
	}
	return true
}

// spans implements table.
func (s *goSource) spans(yield func(from, to uint64, r *row) bool) {
	for i := range s.table.Len() {
		f, ok := s.table.Function(i)
		if !ok || f.StackOff == 0 {
			continue
		}
		places := s.places(i)
		for k, from := range places[:max(len(places)-1, 0)] {
			if r, ok := s.row(from); ok && !yield(from, places[k+1], &r) {
				return
			}
		}
	}
}

// places returns the addresses where a function's rows may change, and its end.
func (s *goSource) places(index int) []uint64 {
	f, _ := s.table.Function(index)
	if end := s.table.Entry(index + 1); s.flags(&f)&gotable.FlagTopFrame != 0 && end > f.Entry {
		return []uint64{f.Entry, end}
	} else if s.flags(&f)&gotable.FlagSPWrite != 0 {
		return s.flow(index, &f).at
	}
	places := []uint64{f.Entry}
	var opened uint64 // where the frame is allocated; the frame pointer may be saved later
	s.table.Values(f.StackOff, f.Entry, func(end uint64, depth int32) bool {
		if depth > 0 && opened == 0 {
			opened = places[len(places)-1]
			if _, size := storeFP(depth - 8); opened+uint64(size) < end {
				places = append(places, opened+uint64(size))
			}
		}
		places = append(places, end)
		return true
	})
	return places
}
