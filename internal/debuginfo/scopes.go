package debuginfo

import (
	"debug/dwarf"

	"trapline/internal/addrmap"
	"trapline/internal/cursor"
	"trapline/internal/meter"
)

// A scope is a function or an inlined call.
type scope struct {
	entry    uint64 // offset in .debug_info of the entry with the name
	low      uint64 // first instruction
	parent   int32  // -1 for functions
	callFile uint32 // location of an inlined call
	callLine uint32
}

// A scopeTable holds the functions and inlined calls of one unit.
type scopeTable struct {
	list     []scope
	segments addrmap.Map // code → innermost scope
}

// find returns the index of the innermost scope at an address, or -1.
func (t *scopeTable) find(addr uint64) int32 { return t.segments.Owner(addr) }

// maxScopeDepth limits the nesting of entries.
const maxScopeDepth = 1 << 12

// readScopes walks all entries of the unit.
func (u *unit) readScopes() *scopeTable {
	t := new(scopeTable)
	abbrevs := u.in.abbrevs.get(u.abbrevOff, u.encoding)
	if abbrevs == nil {
		return t
	}
	data := u.in.info.window(u.root, u.end-u.root)
	w := scopeWalk{u: u, table: t, current: -1, ranges: newRangeReader(u.in, 1<<16+uint64(len(data))/4)}
	c := cursor.New(data, u.in.order)
	for c.Len() > 0 {
		entry := u.root + uint64(c.Pos())
		code := c.Uleb()
		if code == 0 {
			if !w.leave() {
				break
			}
			continue
		}
		a := abbrevs.get(code)
		if a == nil {
			break
		}
		if next := w.visit(&c, a, entry); next > entry && a.children {
			c.Seek(int(next - u.root))
			continue
		}
		if a.children && !w.enter() {
			break
		}
	}
	t.segments = addrmap.New(w.spans)
	meter.AddSlice(u.in.memory, t.list)
	meter.AddSlice(u.in.memory, t.segments)
	return t
}

// A scopeWalk is the state of a walk over the entries of a unit.
type scopeWalk struct {
	u       *unit
	table   *scopeTable
	ranges  *rangeReader
	spans   []addrmap.Span
	open    []int32 // enclosing scope of each level, or -1
	current int32   // enclosing scope of this level, or -1
	inner   int32   // enclosing scope of the children of the last entry
}

// leave ends a level. It returns false at the end of the root's children.
func (w *scopeWalk) leave() bool {
	n := len(w.open) - 1
	if n < 0 {
		return false
	}
	w.current, w.open = w.open[n], w.open[:n]
	return n > 0
}

// enter begins the children of the last entry. It returns false if they nest too deeply.
func (w *scopeWalk) enter() bool {
	if len(w.open) >= maxScopeDepth {
		return false
	}
	w.open = append(w.open, w.current)
	w.current = w.inner
	return true
}

// visit reads the attributes of an entry. It returns the offset of the entry after the
// children if these can be skipped, or 0.
func (w *scopeWalk) visit(c *cursor.Cursor, a *abbrev, entry uint64) (next uint64) {
	w.inner = w.current
	switch a.tag {
	case dwarf.TagSubprogram, dwarf.TagInlinedSubroutine:
		w.scope(c, a, entry)
	case dwarf.TagStructType, dwarf.TagUnionType, dwarf.TagEnumerationType, dwarf.TagSubroutineType, dwarf.TagArrayType:
		return w.u.skipType(c, a)
	default:
		w.u.skipAttrs(c, a)
	}
	return 0
}

// scope adds a function or an inlined call that covers code.
func (w *scopeWalk) scope(c *cursor.Cursor, a *abbrev, entry uint64) {
	s, attrs := w.u.readScope(c, a)
	s.entry = either(s.entry, entry)
	s.parent = -1
	if a.tag == dwarf.TagInlinedSubroutine {
		s.parent = w.current
	}
	index, known := int32(len(w.table.list)), false
	w.ranges.each(w.u, attrs, func(low, high uint64) {
		if !known {
			known = true
			s.low = low
		}
		w.spans = append(w.spans, addrmap.Span{Low: low, High: high, Owner: index, Depth: int32(len(w.open))})
	})
	if known {
		w.table.list = append(w.table.list, s)
		w.inner = index
	} else if a.tag == dwarf.TagSubprogram {
		w.inner = -1
	}
}

func either(a, b uint64) uint64 {
	if a != 0 {
		return a
	}
	return b
}

// readScope reads a function or an inlined call. Its entry is the abstract function, which
// all its inlined calls share, if there is one.
func (u *unit) readScope(c *cursor.Cursor, a *abbrev) (s scope, attrs codeAttrs) {
	for _, spec := range a.attrs {
		v := u.read(c, spec)
		switch spec.attr {
		case dwarf.AttrLowpc:
			attrs.low = v
		case dwarf.AttrHighpc:
			attrs.high = v
		case dwarf.AttrRanges:
			attrs.ranges = v
		case dwarf.AttrAbstractOrigin:
			s.entry = u.reference(v)
		case dwarf.AttrCallFile:
			s.callFile = uint32(v.num)
		case dwarf.AttrCallLine:
			s.callLine = uint32(v.num)
		}
	}
	return s, attrs
}

func (u *unit) skipAttrs(c *cursor.Cursor, a *abbrev) {
	if a.fixed >= 0 {
		c.Skip(uint64(a.fixed))
		return
	}
	for _, spec := range a.attrs {
		u.read(c, spec)
	}
}

// skipType reads the attributes of a type and returns the offset of the entry after its
// children, or 0 if the compiler did not record it. Children of types have no code that
// lacks an entry elsewhere.
func (u *unit) skipType(c *cursor.Cursor, a *abbrev) (next uint64) {
	for _, spec := range a.attrs {
		v := u.read(c, spec)
		if spec.attr == dwarf.AttrSibling {
			next = u.reference(v)
		}
	}
	if next < u.root+uint64(c.Pos()) || next > u.end {
		return 0
	}
	return next
}
