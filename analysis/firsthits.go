package analysis

import (
	"cmp"
	"slices"

	"trapline/format"
)

// ProbesHit returns the probes of the hits that pass the filter, in the order in
// which [Each] first meets them. It decodes only the columns that the filter needs.
func ProbesHit(inputs []*Input, q Query) ([]*Probe, error) {
	q.Kernel, q.User = false, false
	f := &firstHits{selector: newSelector(q), known: make(map[uint32]bool)}
	result := &Result{}
	result.Quality.Cut = make(map[format.StackCut]uint64)
	sc := scanner{visitor: f, result: result}
	if err := sc.run(inputs); err != nil {
		return nil, err
	}
	return f.order, nil
}

// firstHits is the state of a call of ProbesHit.
type firstHits struct {
	selector
	blocks []*format.Hits
	known  map[uint32]bool // by probe number: the probe is in order
	order  []*Probe
}

// A firstHit is the first hit of a probe in a segment. Hits with equal times keep
// the order of the file.
type firstHit struct {
	time  uint64
	block int
	row   int
	probe uint32
}

func (f *firstHits) probes(*format.Segment) {}

func (f *firstHits) hits(h *format.Hits, _ *part) error {
	f.blocks = append(f.blocks, h)
	return nil
}

func (f *firstHits) endSegment(s *format.Segment, p *part) error {
	seg := newSegment(f.dict, s, p.boot)
	seg.update(&f.query, nil)
	firsts := make(map[uint32]firstHit)
	for i, h := range f.blocks {
		b, err := decodeRows(h, rowColumns{stacks: f.stacks})
		if err != nil {
			continue // Each skips such a block, too
		}
		f.block(seg, b, i, firsts)
	}
	f.blocks = nil
	var list []firstHit
	for _, first := range firsts {
		list = append(list, first)
	}
	slices.SortFunc(list, func(a, b firstHit) int {
		return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.block, b.block), cmp.Compare(a.row, b.row))
	})
	for _, first := range list {
		f.known[first.probe] = true
		f.order = append(f.order, f.dict.probeList[first.probe])
	}
	return nil
}

// block looks for hits of new probes, and for earlier hits of known ones.
func (f *firstHits) block(seg *segment, b *rows, number int, firsts map[uint32]firstHit) {
	for r, time := range b.time {
		hit, ok := f.pick(seg, b, r)
		if !ok || f.known[hit.probe] {
			continue
		}
		if first, ok := firsts[hit.probe]; !ok || time < first.time {
			firsts[hit.probe] = firstHit{time, number, r, hit.probe}
		}
	}
}
