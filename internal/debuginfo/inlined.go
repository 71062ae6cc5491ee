package debuginfo

import (
	"debug/dwarf"

	"trapline/internal/cursor"
)

// InlinedCalls returns the inlined calls of all functions that match. match gets linkage
// names; in C these are the plain names.
func (d *Info) InlinedCalls(match func(function string) bool) (places []Place) {
	matches := make(map[uint64]bool) // by entry, which calls of a function share
	for _, u := range d.units {
		t := u.readScopes() // not kept: those of all units take much memory
		for i := range t.list {
			s := &t.list[i]
			if s.parent < 0 {
				continue
			}
			is, known := matches[s.entry]
			if !known {
				is = match(d.name(s.entry))
				matches[s.entry] = is
			}
			if is && len(places) < maxPlaces {
				places = append(places, Place{Address: s.low, File: u.lines().file(s.callFile), Line: int(s.callLine),
					Functions: d.functionsFrom(t, int32(i))})
			}
		}
	}
	return places
}

// Declaration returns the file and line of the declaration of the function at an address.
// ok is false if debug information does not have them.
func (d *Info) Declaration(addr uint64) (file string, line int, ok bool) {
	i := d.segments.Owner(addr)
	if i < 0 {
		return "", 0, false
	}
	t := d.units[i].scopes()
	s := t.find(addr)
	for s >= 0 && t.list[s].parent >= 0 {
		s = t.list[s].parent
	}
	if s < 0 {
		return "", 0, false
	}
	return d.declaration(t.list[s].entry)
}

// declaration follows references from a function's entry to its declaration.
func (d *Info) declaration(entry uint64) (file string, line int, ok bool) {
	for range maxNameHops {
		if entry&altRef != 0 {
			if d = d.alt; d == nil {
				return "", 0, false
			}
			entry &^= altRef
		}
		u := d.unitAt(entry)
		if u == nil {
			return "", 0, false
		}
		abbrevs := d.abbrevs.get(u.abbrevOff, u.encoding)
		if abbrevs == nil {
			return "", 0, false
		}
		var number, at, next uint64
		info := scanner{s: d.info, step: 256, order: d.order}
		info.read(entry, func(c *cursor.Cursor) {
			number, at, next = 0, 0, 0
			a := abbrevs.get(c.Uleb())
			if a == nil {
				return
			}
			for _, spec := range a.attrs {
				v := u.read(c, spec)
				if !c.OK() {
					return
				}
				switch spec.attr {
				case dwarf.AttrDeclFile:
					number = v.num
				case dwarf.AttrDeclLine:
					at = v.num
				case dwarf.AttrAbstractOrigin, dwarf.AttrSpecification:
					next = u.reference(v)
				}
			}
		})
		if number > 0 && file == "" {
			file = u.lines().file(uint32(number))
		}
		if at > 0 && line == 0 {
			line = int(at)
		}
		if file != "" && line > 0 {
			return file, line, true
		}
		if next == 0 {
			break
		}
		entry = next
	}
	return "", 0, false
}
