package debuginfo

// MaxInlineDepth limits the nesting of inlined calls.
const MaxInlineDepth = 256

// A Call is one function activation at an address.
type Call struct {
	Function string // linkage name: mangled as in the symbol table or DW_AT_linkage_name
	File     string
	Line     int    // 0 if unknown
	Offset   uint64 // bytes from the start of the function; 0 for inlined calls
}

// Calls returns the calls at an address, innermost first. The name of the outermost is "" if
// the address has a line but no function, as in assembly code.
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

// functionsFrom returns the names of the functions at a scope, innermost first.
func (d *Info) functionsFrom(t *scopeTable, scope int32) (names []string) {
	for s := scope; s >= 0 && len(names) < MaxInlineDepth; s = t.list[s].parent {
		names = append(names, d.name(t.list[s].entry))
	}
	return names
}
