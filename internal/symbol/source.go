package symbol

import (
	"cmp"
	"slices"

	"trapline/internal/debuginfo"
)

// A Place is the start of code of a source line or an inlined call.
type Place struct {
	Address uint64
	Offset  uint64 // in the file
	File    string // of the line, or of an inlined call
	Line    int
	// Functions are the linkage names of the functions at the place, innermost first: each
	// is inlined into the next one.
	Functions []string
}

// A SourceLine is the result of looking up a source line.
type SourceLine struct {
	Files         []string // that match, sorted; empty if no unit has such a file
	Places        []Place  // by address
	Before, After int      // the nearest lines with code, or 0
}

// HasDebugInfo reports whether the image or its debug file has debug information.
func (e *ELF) HasDebugInfo() bool { return e.dwarf() != nil }

// Source returns the places where code of a line starts: each run of addresses of that line,
// including inlined copies. file is a path or its last elements.
func (e *ELF) Source(file string, line int) (s *SourceLine, err error) {
	defer guard("reading line tables", &err)
	d := e.dwarf()
	if d == nil {
		return new(SourceLine), nil
	}
	found := d.Source(file, line)
	return &SourceLine{Files: found.Files, Places: e.located(found.Places), Before: found.Before, After: found.After}, nil
}

// SourceFiles returns the sorted paths of all files in line tables.
func (e *ELF) SourceFiles() (paths []string, err error) {
	defer guard("reading line tables", &err)
	d := e.dwarf()
	if d == nil {
		return nil, nil
	}
	return d.SourceFiles(), nil
}

// InlinedCalls returns the inlined calls of all functions that match. match gets linkage
// names; in C these are the plain names.
func (e *ELF) InlinedCalls(match func(function string) bool) (places []Place, err error) {
	defer guard("reading debug information", &err)
	d := e.dwarf()
	if d == nil {
		return nil, nil
	}
	return e.located(d.InlinedCalls(match)), nil
}

// located sorts places and drops duplicates and those outside of the file.
func (e *ELF) located(found []debuginfo.Place) (places []Place) {
	for _, p := range found {
		if off, ok := e.FileOffset(p.Address); ok {
			places = append(places, Place{Address: p.Address, Offset: off, File: p.File, Line: p.Line, Functions: p.Functions})
		}
	}
	slices.SortStableFunc(places, func(a, b Place) int { return cmp.Compare(a.Address, b.Address) })
	return slices.CompactFunc(places, func(a, b Place) bool { return a.Address == b.Address })
}

// Declaration returns the file and line of the declaration of the function at a file offset.
// ok is false if debug information does not have them.
func (e *ELF) Declaration(fileOffset uint64) (file string, line int, ok bool) {
	var err error
	defer func() { ok = ok && err == nil }()
	defer guard("reading debug information", &err)
	addr, found := e.Address(fileOffset)
	d := e.dwarf()
	if !found || d == nil {
		return "", 0, false
	}
	return d.Declaration(addr)
}
