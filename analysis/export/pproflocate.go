package export

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/google/pprof/profile"

	"trapline/analysis"
	"trapline/format"
)

// locate adds mappings, locations and functions to the profile, ordered by image,
// offset and name. rank maps places to indices of locations.
func (b *pprofBuilder) locate(p *profile.Profile) (rank []int, locations []*profile.Location) {
	order := make([]int, len(b.places))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return comparePlaces(b.places[i], b.places[j]) })
	mappings := mapImages(p, b.places, order)
	if program := b.program(); program != nil {
		putFirst(p, mappings[*program])
	}
	rank = make([]int, len(order))
	for n, id := range order {
		rank[id] = n
		at := b.places[id]
		location := &profile.Location{ID: uint64(n + 1)}
		if at.frame == nil {
			location.Line = []profile.Line{{Function: b.function(p, at.name, at.name, "")}}
		} else {
			var m *profile.Mapping
			if at.frame.Image != nil {
				m = mappings[*at.frame.Image]
			}
			b.fill(p, location, at.frame, m)
		}
		p.Location = append(p.Location, location)
	}
	return rank, p.Location
}

// program returns the image that most hits ran through, other than libraries and
// the kernel, or nil if there is none.
func (b *pprofBuilder) program() *analysis.Image {
	hits := map[*analysis.Image]int64{}
	for _, s := range b.samples {
		var last *analysis.Image
		for _, id := range s.locations {
			f := b.places[id].frame
			if f == nil || f.Image == nil || f.Image == last {
				continue
			}
			last = f.Image
			if last.Kind == format.ImageELF && !strings.Contains(last.Name(), ".so") {
				hits[last] += s.hits
			}
		}
	}
	var most *analysis.Image
	for i, n := range hits {
		if most == nil || n > hits[most] || n == hits[most] && compareImages(i, most) < 0 {
			most = i
		}
	}
	return most
}

// putFirst moves a mapping to the front, where pprof expects the main program.
func putFirst(p *profile.Profile, m *profile.Mapping) {
	i := slices.Index(p.Mapping, m)
	copy(p.Mapping[1:i+1], p.Mapping[:i])
	p.Mapping[0] = m
	for i, m := range p.Mapping {
		m.ID = uint64(i + 1)
	}
}

// fill describes a frame. An address without a name gets no line, which tells pprof
// to try to symbolize it.
func (b *pprofBuilder) fill(p *profile.Profile, l *profile.Location, f *analysis.Frame, m *profile.Mapping) {
	l.Mapping, l.Address = m, f.Offset
	if m != nil {
		l.Address += m.Start
	}
	for _, c := range f.Calls {
		if c.Function == "" {
			continue
		}
		l.Line = append(l.Line, profile.Line{
			Function: b.function(p, printable(c.Function), printable(c.Linkage), printable(c.File)),
			Line:     int64(c.Line),
		})
		if m != nil {
			m.HasFunctions = true
			m.HasFilenames = m.HasFilenames || c.File != ""
			m.HasLineNumbers = m.HasLineNumbers || c.Line > 0
			m.HasInlineFrames = m.HasInlineFrames || c.Inlined
		}
	}
}

func (b *pprofBuilder) function(p *profile.Profile, name, linkage, file string) *profile.Function {
	key := functionKey{name, linkage, file}
	f := b.functions[key]
	if f == nil {
		f = &profile.Function{ID: uint64(len(p.Function) + 1), Name: name, SystemName: cmp.Or(linkage, name), Filename: file}
		p.Function = append(p.Function, f)
		b.functions[key] = f
	}
	return f
}

// mapImages adds a mapping for each image; equal images of several hosts share one.
// Offsets in a capture do not depend on load addresses, so the ranges are invented:
// one after another, a page apart, because pprof joins adjacent ones. An address
// minus the start of its mapping is the offset in the image.
func mapImages(p *profile.Profile, places []place, order []int) map[analysis.Image]*profile.Mapping {
	const page = 4096
	mappings := map[analysis.Image]*profile.Mapping{}
	next := uint64(page)
	for i, id := range order {
		frame := places[id].frame
		if frame == nil || frame.Image == nil {
			continue
		}
		// In this order, the last place of an image has its largest offset.
		if i+1 < len(order) {
			if after := places[order[i+1]].frame; after != nil && after.Image != nil && *after.Image == *frame.Image {
				continue
			}
		}
		start, size := next, frame.Offset|(page-1)
		if size > math.MaxUint64-start-2*page {
			start = 0 // JIT code near the top of the address space, or garbage
		} else {
			next = start + size + 1 + page
		}
		m := &profile.Mapping{
			ID:      uint64(len(p.Mapping) + 1),
			Start:   start,
			Limit:   start + size,
			File:    printable(imagePath(frame.Image)),
			BuildID: frame.Image.BuildID,
		}
		p.Mapping = append(p.Mapping, m)
		mappings[*frame.Image] = m
	}
	return mappings
}

// comparePlaces orders by image, offset and names. Places without an image come
// last.
func comparePlaces(a, b place) int {
	if a.frame == nil || b.frame == nil {
		if a.frame == nil && b.frame == nil {
			return strings.Compare(a.name, b.name)
		}
		if a.frame != nil {
			return -1
		}
		return 1
	}
	return cmp.Or(
		compareImages(a.frame.Image, b.frame.Image),
		cmp.Compare(a.frame.Offset, b.frame.Offset),
		cmp.Compare(a.frame.Flags, b.frame.Flags),
		slices.CompareFunc(a.frame.Calls, b.frame.Calls, compareCalls),
	)
}

func compareImages(a, b *analysis.Image) int {
	switch {
	case a == b:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.BuildID, b.BuildID), cmp.Compare(a.Kind, b.Kind))
}

func compareCalls(a, b *analysis.Call) int {
	return cmp.Or(
		strings.Compare(a.Linkage, b.Linkage),
		strings.Compare(a.Function, b.Function),
		strings.Compare(a.File, b.File),
		cmp.Compare(a.Line, b.Line),
	)
}
