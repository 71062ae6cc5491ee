package analysis

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"trapline/format"
)

// A visitor receives what a scan finds, in order.
type visitor interface {
	// hits is called for each block of hits.
	hits(h *format.Hits, part *part) error
	// probes is called before blocks may refer to new probes.
	probes(s *format.Segment)
	// endSegment is called at the end of a segment, when its dictionaries and
	// symbols are complete.
	endSegment(s *format.Segment, part *part) error
}

// A part is one recording within an input while it is being read.
type part struct {
	*Header
	boot   string // identifies one boot of one machine
	counts map[countKey]uint64
	begun  bool
}

type countKey struct {
	probe string
	cpu   uint32
	cause format.Cause
}

// errStop ends a scan early. It is not reported as an error.
var errStop = errors.New("stop")

// A scanner reads inputs to the end and keeps the account of hits.
type scanner struct {
	visitor visitor
	account bool // skip the columns of hits, and their stacks
	result  *Result
	part    *part
	segment *format.Segment
	counts  map[countKey]uint64 // of finished parts
}

func (sc *scanner) run(inputs []*Input) error {
	sc.counts = make(map[countKey]uint64)
	defer func() { sc.result.Quality.Accounts = accounts(sc.counts) }()
	for _, in := range inputs {
		if err := sc.input(in); err != nil {
			return err
		}
	}
	return nil
}

func (sc *scanner) input(in *Input) error {
	pass, err := in.Open()
	if err != nil {
		return err
	}
	newReader := format.NewReader
	if sc.account {
		newReader = format.NewAccountReader
	}
	r, err := newReader(pass)
	if err != nil {
		return fmt.Errorf("%s: %w", in.Name, err)
	}
	for {
		block, err := r.Next()
		if err != nil {
			if spool := (*SpoolError)(nil); errors.As(err, &spool) {
				return fmt.Errorf("%s: %w", in.Name, err)
			}
			sc.inputEnded(in, r.Offset(), err)
			return sc.endPart()
		}
		if err := sc.block(in, block); err != nil {
			return err
		}
	}
}

// inputEnded records why reading ended. Everything read until then counts.
func (sc *scanner) inputEnded(in *Input, offset int64, err error) {
	q := &sc.result.Quality
	switch {
	case errors.Is(err, io.EOF):
	case errors.Is(err, format.ErrTruncated):
		q.Truncated = append(q.Truncated, in.Name)
	default:
		d := damageOf(in.Name, err)
		d.Offset = offset
		q.Damage = append(q.Damage, d)
	}
}

func (sc *scanner) block(in *Input, block format.Block) error {
	switch b := block.(type) {
	case *format.File:
		if err := sc.endPart(); err != nil {
			return err
		}
		sc.beginPart(in, b)
	case *format.SegmentStart:
		if err := sc.endSegment(); err != nil {
			return err
		}
		if p := sc.part; p != nil && !p.begun {
			p.Clock, p.begun = b.Clock, true
		}
	case *format.Hits:
		if err := sc.enter(in, b.Segment); err != nil {
			return err
		}
		p := sc.part
		if p.Hits == 0 || b.TimeMin < p.Start {
			p.Start = b.TimeMin
		}
		p.End = max(p.End, b.TimeMax)
		p.Hits += uint64(b.Rows)
		sc.result.Quality.Hits += uint64(b.Rows)
		return sc.visitor.hits(b, p)
	case *format.Loss:
		if err := sc.enter(in, b.Segment); err != nil {
			return err
		}
		for _, c := range b.Counts {
			name := "[lost]"
			if p, ok := b.Segment.Probe(c.Probe); ok {
				name = b.Segment.String(p.Name)
			}
			sc.part.counts[countKey{name, c.CPU, c.Cause}] = c.N
		}
		sc.visitor.probes(b.Segment)
	case *format.SegmentEnd:
		if err := sc.enter(in, b.Segment); err != nil {
			return err
		}
		return sc.endSegment()
	case *format.Damage:
		sc.result.Quality.Damage = append(sc.result.Quality.Damage,
			Damage{Input: in.Name, Offset: b.Offset, Length: b.Length, Reason: b.Reason})
	}
	return nil
}

func (sc *scanner) beginPart(in *Input, f *format.File) {
	h := &Header{Input: in.Name}
	if f != nil {
		h.Properties = f.Properties
	}
	sc.result.Headers = append(sc.result.Headers, h)
	boot := h.Get(format.KeyBootID)
	if boot == "" {
		boot = h.Get(format.KeyHostname)
	}
	sc.part = &part{Header: h, boot: boot, counts: make(map[countKey]uint64)}
}

// enter makes s the current segment. Damage may have hidden the header of its part
// and the end of the previous segment.
func (sc *scanner) enter(in *Input, s *format.Segment) error {
	if sc.segment != nil && sc.segment != s {
		if err := sc.endSegment(); err != nil {
			return err
		}
	}
	if sc.part == nil {
		sc.beginPart(in, nil)
	}
	sc.segment = s
	return nil
}

func (sc *scanner) endSegment() error {
	s := sc.segment
	if s == nil {
		return nil
	}
	sc.segment = nil
	sc.visitor.probes(s)
	return sc.visitor.endSegment(s, sc.part)
}

func (sc *scanner) endPart() error {
	if err := sc.endSegment(); err != nil {
		return err
	}
	if sc.part != nil {
		for k, n := range sc.part.counts {
			sc.counts[k] += n
		}
	}
	sc.part = nil
	return nil
}

func accounts(counts map[countKey]uint64) []Account {
	type key struct {
		probe string
		cpu   uint32
	}
	byKey := make(map[key]*Account)
	for k, n := range counts {
		a := byKey[key{k.probe, k.cpu}]
		if a == nil {
			a = &Account{Probe: k.probe, CPU: k.cpu, Counts: make(map[format.Cause]uint64)}
			byKey[key{k.probe, k.cpu}] = a
		}
		a.Counts[k.cause] += n
	}
	list := make([]Account, 0, len(byKey))
	for _, a := range byKey {
		list = append(list, *a)
	}
	slices.SortFunc(list, func(a, b Account) int {
		if c := strings.Compare(a.Probe, b.Probe); c != 0 {
			return c
		}
		if a.CPU < b.CPU {
			return -1
		}
		return 1
	})
	return list
}
