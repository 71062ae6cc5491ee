package symbol

import (
	"cmp"
	"slices"
	"strings"
)

// A Place is where code of a source line, or of a function that was inlined, begins.
type Place struct {
	Address uint64
	Offset  uint64 // in the file
	File    string // of the line; of an inlined call: where it was written
	Line    int
	// Functions are those around the place, innermost first: all but the last were
	// inlined into the next one. Linkage names.
	Functions []string
}

// A SourceLine is what line tables say of a line.
type SourceLine struct {
	Files         []string // that match, sorted; none: no unit has such a file
	Places        []Place  // by address
	Before, After int      // the nearest lines that have code; 0: none
}

// maxPlaces bounds the places of a line, as macros and templates can multiply it.
const maxPlaces = 1 << 16

// HasDebugInfo reports whether the image, or its debug file, says anything of lines.
func (e *ELF) HasDebugInfo() bool { return e.dwarf() != nil }

// Source finds where the code of a line begins: at each run of addresses of that
// line, and in each inlined copy. file is a path or the end of one, of whole names.
func (e *ELF) Source(file string, line int) (s *SourceLine, err error) {
	defer guard("reading line tables", &err)
	s = new(SourceLine)
	d := e.dwarf()
	if d == nil {
		return s, nil
	}
	files := make(map[string]bool)
	for _, u := range d.units {
		u.sourceLine(file, line, s, files)
	}
	for f := range files {
		s.Files = append(s.Files, f)
	}
	slices.Sort(s.Files)
	s.Places = e.located(s.Places)
	return s, nil
}

// located sorts places and drops those that are not in the file, or twice.
func (e *ELF) located(places []Place) []Place {
	kept := places[:0]
	for _, p := range places {
		if off, ok := e.FileOffset(p.Address); ok {
			p.Offset = off
			kept = append(kept, p)
		}
	}
	slices.SortStableFunc(kept, func(a, b Place) int { return cmp.Compare(a.Address, b.Address) })
	return slices.CompactFunc(kept, func(a, b Place) bool { return a.Address == b.Address })
}

// sameFile reports whether a path ends as asked for.
func sameFile(path, end string) bool {
	return path == end || strings.HasSuffix(path, "/"+strings.TrimPrefix(end, "./"))
}

// A lineSearch looks for one line in one unit.
type lineSearch struct {
	u     *unit
	files map[uint32]string // that are asked for, by number
	line  int
	found []foundPlace
	best  map[int32]placeKind // by function
	into  *SourceLine
	seen  map[string]bool // files that have code
}

// A placeKind says what lies at a place, best first. In optimized code, rows that begin
// statements often cover no code, since the next one is at their address, and code that
// was moved does not begin a statement.
type placeKind uint8

const (
	placeStatement placeKind = iota // a statement of the line begins
	placeCall                       // a call that is written there, and was inlined
	placeCode                       // other code of the line
	placeEmpty                      // nothing but a row
)

type foundPlace struct {
	Place
	kind     placeKind
	function int32 // the scope that is not inlined
}

// sourceLine adds the unit's places of a line: of each function those of the best
// kind, and empty ones only where there are no others.
func (u *unit) sourceLine(file string, line int, into *SourceLine, seen map[string]bool) {
	var names fileNames
	p, c, ok := u.lineProgram(&names)
	if !ok {
		return
	}
	search := lineSearch{u: u, files: make(map[uint32]string), line: line, best: make(map[int32]placeKind), into: into, seen: seen}
	for i := range names.files {
		number := names.first + uint32(i)
		if path := names.path(number); path != "" && sameFile(path, file) {
			search.files[number] = path
		}
	}
	if len(search.files) == 0 {
		return
	}
	var rows []statementRow // of the sequence
	p.visit = func(row lineRow, statement, end bool) {
		if !end {
			rows = append(rows, statementRow{row, statement})
			return
		}
		if len(rows) > 0 && rows[0].addr > 1 && rows[0].addr < row.addr && u.d.executable(rows[0].addr) {
			search.rows(rows)
		}
		rows = rows[:0]
	}
	p.run(&c)
	search.calls()
	bestOfAll := placeEmpty
	for _, kind := range search.best {
		bestOfAll = min(bestOfAll, kind)
	}
	for _, f := range search.found {
		if f.kind == search.best[f.function] && (f.kind != placeEmpty || bestOfAll == placeEmpty) {
			into.Places = append(into.Places, f.Place)
		}
	}
}

// A statementRow is a row of a line table, and whether it begins a statement.
type statementRow struct {
	lineRow
	statement bool
}

// rows looks through one sequence. Of rows at one address the last says whose code it is.
func (l *lineSearch) rows(rows []statementRow) {
	running := false // the code before is of the line, too
	for i := 0; i < len(rows); {
		next := i + 1
		for next < len(rows) && rows[next].addr == rows[i].addr {
			next++
		}
		code, path, statement := false, "", false
		for _, r := range rows[i:next] {
			file, ok := l.files[r.file]
			if !ok || r.line == 0 {
				code = false
				continue
			}
			l.seen[file] = true
			code = int(r.line) == l.line
			if code {
				path = file
				statement = statement || r.statement
			} else if r.statement {
				l.near(int(r.line))
			}
		}
		switch {
		case code && !running && statement:
			l.add(placeStatement, rows[i].addr, path)
		case code && !running:
			l.add(placeCode, rows[i].addr, path)
		case !code && statement:
			l.add(placeEmpty, rows[i].addr, path)
		}
		running = code
		i = next
	}
}

// near notes a line that has code.
func (l *lineSearch) near(line int) {
	if line < l.line {
		l.into.Before = max(l.into.Before, line)
	} else if l.into.After == 0 || line < l.into.After {
		l.into.After = line
	}
}

// calls looks for calls that are written in the line.
func (l *lineSearch) calls() {
	for i := range l.u.scopes().list {
		s := &l.u.scopes().list[i]
		if path, ok := l.files[s.callFile]; ok && s.parent >= 0 && int(s.callLine) == l.line {
			l.seen[path] = true
			l.add(placeCall, s.low, path)
		}
	}
}

func (l *lineSearch) add(kind placeKind, addr uint64, path string) {
	if len(l.found)+len(l.into.Places) >= maxPlaces {
		return
	}
	function, functions := l.u.functionsAt(addr)
	if best, known := l.best[function]; !known || kind < best {
		l.best[function] = kind
	}
	l.found = append(l.found, foundPlace{Place{Address: addr, File: path, Line: l.line, Functions: functions}, kind, function})
}

// functionsAt returns the scope of the function around an address, -1 for none, and the
// names of all functions there, the innermost one first.
func (u *unit) functionsAt(addr uint64) (function int32, names []string) {
	t := u.scopes()
	innermost := t.find(addr)
	function = innermost
	for function >= 0 && t.list[function].parent >= 0 {
		function = t.list[function].parent
	}
	return function, u.functionsFrom(t, innermost)
}

func (u *unit) functionsFrom(t *scopeTable, scope int32) (names []string) {
	for s := scope; s >= 0 && len(names) < maxInlineDepth; s = t.list[s].parent {
		names = append(names, u.d.name(t.list[s].entry))
	}
	return names
}

// SourceFiles returns the paths of all files that line tables name, sorted.
func (e *ELF) SourceFiles() (paths []string, err error) {
	defer guard("reading line tables", &err)
	d := e.dwarf()
	if d == nil {
		return nil, nil
	}
	seen := make(map[string]bool)
	for _, u := range d.units {
		var names fileNames
		if _, _, ok := u.lineProgram(&names); !ok {
			continue
		}
		for i := range names.files {
			if p := names.path(names.first + uint32(i)); p != "" {
				seen[p] = true
			}
		}
	}
	for p := range seen {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	return paths, nil
}
