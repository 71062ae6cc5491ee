package analysis

import (
	"trapline/format"
)

// Each calls yield for every hit that passes the filter until yield returns false.
// Hits come input by input, and in time order within each segment.
//
// Of the query, Each uses only Filter, NoDemangle, Kernel and User; the latter two
// say which stacks events have. Memory is bounded by the size of a segment and the
// number of distinct stacks. For errors see [Aggregate].
func Each(inputs []*Input, q Query, yield func(*Event) bool) (*Result, error) {
	l := &listing{selector: newSelector(q), result: &Result{}, yield: yield}
	l.result.Quality.Cut = make(map[format.StackCut]uint64)
	sc := scanner{visitor: l, result: l.result}
	if err := sc.run(inputs); err != nil && err != errStop {
		return nil, err
	}
	l.result.Probes = l.dict.probeList
	return l.result, nil
}

// A listing is the state of a call of Each.
type listing struct {
	selector
	result *Result
	yield  func(*Event) bool
	blocks []*format.Hits // of the current segment; names are known only at its end
	event  Event
}

func (l *listing) probes(s *format.Segment) {
	for id := 1; id <= s.NumProbes(); id++ {
		l.dict.probe(s, format.ProbeID(id))
	}
}

func (l *listing) hits(h *format.Hits, _ *part) error {
	l.blocks = append(l.blocks, h)
	return nil
}

func (l *listing) endSegment(s *format.Segment, p *part) error {
	seg := newSegment(l.dict, s, p.boot)
	seg.update(&l.query, nil)
	m := newMerge(l.blocks, rowColumns{stacks: l.stacks, args: true})
	l.blocks = nil
	for {
		b, row, ok := m.next()
		if !ok {
			break
		}
		if !l.row(seg, b, row, p.Header) {
			return errStop
		}
	}
	for _, err := range m.errs {
		l.result.Quality.Damage = append(l.result.Quality.Damage, damageOf(p.Input, err))
	}
	return nil
}

// row yields a hit if it passes the filter. It reports whether to continue.
func (l *listing) row(seg *segment, b *rows, r int, h *Header) bool {
	hit, ok := l.pick(seg, b, r)
	if !ok {
		return true
	}
	e := &l.event
	e.Kernel, e.User = nil, nil
	if l.query.Kernel {
		e.Kernel = hit.kernel
	}
	if l.query.User {
		e.User = hit.user
	}
	e.Time = b.time[r]
	e.CPU = int(b.cpu[r])
	e.Task = l.dict.taskList[hit.task]
	e.Probe = l.dict.probeList[hit.probe]
	e.Header = h
	e.Args = seg.args(e.Args[:0], e.Probe, b, r)
	return l.yield(e)
}

func (s *segment) args(dst []Value, p *Probe, b *rows, r int) []Value {
	for i := range p.Fields {
		f := &p.Fields[i]
		if f.Count == 0 || f.column+f.Count > len(b.args) {
			dst = append(dst, Value{})
			continue
		}
		numbers := make([]uint64, f.Count)
		for j := range numbers {
			numbers[j] = b.args[f.column+j][r]
		}
		v := s.value(f, numbers, true)
		v.State = p.marks.state(b.args, r, f.mark)
		dst = append(dst, v)
	}
	return dst
}
