package debuginfo

import (
	"slices"
	"strings"
)

// Source returns the places where code of a line starts: each run of addresses of that line,
// including inlined copies. file is a path or its last elements.
func (d *Info) Source(file string, line int) *SourceLine {
	s := new(SourceLine)
	files := make(map[string]bool)
	for _, u := range d.units {
		d.sourceLine(u, file, line, s, files)
	}
	for f := range files {
		s.Files = append(s.Files, f)
	}
	slices.Sort(s.Files)
	return s
}

// sameFile reports whether a path ends in the given path elements.
func sameFile(path, end string) bool {
	return path == end || strings.HasSuffix(path, "/"+strings.TrimPrefix(end, "./"))
}

// A lineSearch looks for one line in one unit.
type lineSearch struct {
	d     *Info
	u     *codeUnit
	files map[uint32]string // requested files by number
	line  int
	found []foundPlace
	best  map[int32]placeKind // by function
	into  *SourceLine
	seen  map[string]bool // files with code
}

// A placeKind is the kind of code at a place, best first. In optimized code, rows that begin
// statements often cover no code, since the next row has the same address, and moved code
// does not begin a statement.
type placeKind uint8

const (
	placeStatement placeKind = iota // start of a statement of the line
	placeCall                       // an inlined call in the line
	placeCode                       // other code of the line
	placeEmpty                      // a row without code
)

type foundPlace struct {
	Place
	kind     placeKind
	function int32 // scope of the function that is not inlined
}

// sourceLine adds the unit's places of a line: those of the best kind in each function, and
// empty ones only if there are no others.
func (d *Info) sourceLine(u *codeUnit, file string, line int, into *SourceLine, seen map[string]bool) {
	var names fileNames
	p, c, ok := u.lineProgram(&names)
	if !ok {
		return
	}
	search := lineSearch{d: d, u: u, files: make(map[uint32]string), line: line, best: make(map[int32]placeKind), into: into, seen: seen}
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
		if len(rows) > 0 && rows[0].addr > 1 && rows[0].addr < row.addr && d.executable(rows[0].addr) {
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

// A statementRow is a row of a line table with its is_stmt register.
type statementRow struct {
	lineRow
	statement bool
}

// rows searches one sequence. The last of several rows at one address counts.
func (l *lineSearch) rows(rows []statementRow) {
	running := false // the code before also belongs to the line
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

// near records a line that has code.
func (l *lineSearch) near(line int) {
	if line < l.line {
		l.into.Before = max(l.into.Before, line)
	} else if l.into.After == 0 || line < l.into.After {
		l.into.After = line
	}
}

// calls searches for inlined calls in the line.
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
	function, functions := l.d.functionsAt(l.u, addr)
	if best, known := l.best[function]; !known || kind < best {
		l.best[function] = kind
	}
	l.found = append(l.found, foundPlace{Place{Address: addr, File: path, Line: l.line, Functions: functions}, kind, function})
}

// functionsAt returns the scope of the function at an address, or -1, and the names of all
// functions there, innermost first.
func (d *Info) functionsAt(u *codeUnit, addr uint64) (function int32, names []string) {
	t := u.scopes()
	innermost := t.find(addr)
	function = innermost
	for function >= 0 && t.list[function].parent >= 0 {
		function = t.list[function].parent
	}
	return function, d.functionsFrom(t, innermost)
}

// SourceFiles returns the sorted paths of all files in line tables.
func (d *Info) SourceFiles() (paths []string) {
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
	return paths
}
