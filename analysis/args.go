package analysis

import (
	"slices"
	"strconv"
	"strings"

	"trapline/format"
)

// An argName is the parsed name of an argument in a sort key or weight.
type argName struct {
	probe string // "" for any
	name  string // without an index
	whole string // without an index, but with the part before the dot: names of structure fields contain dots
	index int    // of an array element; -1 for all
}

func parseArg(s string) argName {
	a := argName{name: s, index: -1}
	if open := strings.LastIndexByte(s, '['); open > 0 && strings.HasSuffix(s, "]") {
		if n, err := strconv.ParseUint(s[open+1:len(s)-1], 10, 16); err == nil {
			a.name, a.index = s[:open], int(n)
		}
	}
	a.whole = a.name
	if dot := strings.LastIndexByte(a.name, '.'); dot > 0 {
		a.probe, a.name = a.name[:dot], a.name[dot+1:]
	}
	return a
}

// matchProbe reports whether the name can refer to an argument of the probe, by its
// full name or the part after its last colon.
func (a argName) matchProbe(probe string) bool {
	return a.probe == "" || a.probe == probe || a.probe == probe[strings.LastIndexByte(probe, ':')+1:]
}

// match reports whether the name refers to an argument of the probe.
func (a argName) match(name, probe string) bool {
	return name == a.whole || name == a.name && a.matchProbe(probe)
}

// MatchArg returns the index of the field that a name refers to, and the index of
// its element (-1 for all elements).
func MatchArg(p *Probe, name string) (field, element int, ok bool) {
	a := parseArg(name)
	for i, f := range p.Fields {
		if a.match(f.Name, p.Name) && a.index < f.Count {
			return i, a.index, true
		}
	}
	return 0, 0, false
}

// An argColumns says which columns of a shape hold an argument.
type argColumns struct {
	first, count int // count is 0 if the shape has no such argument
	marks        markColumns
	mark         int // mark bit of the argument
}

// words returns the number of words of an argument in a key: its columns and, if
// values are marked, its state.
func (c argColumns) words() int {
	if c.marks.any() {
		return c.count + 1
	}
	return c.count
}

// maxElements is the length of the longest array that hits can be grouped by.
const maxElements = 64

func findArg(s *format.Segment, shape format.Shape, a argName) argColumns {
	column := 0
	marks := findMarks(shape)
	for i, f := range shape.Fields {
		switch name := s.String(f.Name); {
		case f.Type.Mark():
		case name != a.name && name != a.whole:
		case a.index < 0 && f.Count <= maxElements:
			return argColumns{column, int(f.Count), marks, i}
		case a.index < int(f.Count):
			return argColumns{column + max(a.index, 0), 1, marks, i}
		}
		column += int(f.Count)
	}
	return argColumns{}
}

// HasArg reports whether any probe of the captures has the argument.
func (r *Result) HasArg(name string) bool {
	return slices.ContainsFunc(r.Probes, func(p *Probe) bool {
		_, _, ok := MatchArg(p, name)
		return ok
	})
}

// Args returns the names of the arguments of all probes, sorted.
func (r *Result) Args() []string {
	var names []string
	for _, p := range r.Probes {
		short := p.Name[strings.LastIndexByte(p.Name, ':')+1:]
		for _, f := range p.Fields {
			names = append(names, short+"."+f.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
