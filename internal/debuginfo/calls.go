package debuginfo

// MaxInlineDepth bounds how many calls are inlined into each other.
const MaxInlineDepth = 256

// A Call is one function activation at an address.
type Call struct {
	Function string // linkage name: mangled as in the symbol table or DW_AT_linkage_name
	File     string
	Line     int    // 0 if unknown
	Offset   uint64 // bytes from the start of the function; 0 for inlined calls
}

// Calls names an address, innermost call first. The name of the outermost one is
// "" where there are lines but no function, as in assembler code.
func (d *Info) Calls(addr uint64) []Call {
	i := d.segments.Owner(addr)
	if i < 0 {
		return nil
	}
	u := d.units[i]
	scopes, lines := u.scopes(), u.lines()
	file, line := lines.find(addr)
	var calls []Call
	for s := scopes.find(addr); s >= 0 && len(calls) < MaxInlineDepth; {
		scope := &scopes.list[s]
		call := Call{Function: d.name(scope.entry), File: lines.file(file), Line: int(line)}
		if scope.parent < 0 && addr >= scope.low {
			call.Offset = addr - scope.low
		}
		calls = append(calls, call)
		file, line, s = scope.callFile, scope.callLine, scope.parent
	}
	if calls == nil && line > 0 {
		calls = []Call{{File: lines.file(file), Line: int(line)}}
	}
	return calls
}

// functionsFrom returns the names of the functions around a scope, its own first.
func (d *Info) functionsFrom(t *scopeTable, scope int32) (names []string) {
	for s := scope; s >= 0 && len(names) < MaxInlineDepth; s = t.list[s].parent {
		names = append(names, d.name(t.list[s].entry))
	}
	return names
}
