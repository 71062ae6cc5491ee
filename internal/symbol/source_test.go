package symbol_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trapline/internal/symbol"
)

// Marked lines are found by file and line: in functions, and where they were inlined.
func TestSource(t *testing.T) {
	for _, test := range []struct {
		name, source, tool string
		args               []string
	}{
		{"c", "inlined.c", "gcc", []string{"-O2", "-g"}},
		{"c unoptimized", "inlined.c", "gcc", []string{"-O0", "-g"}},
		{"c dwarf 4", "inlined.c", "gcc", []string{"-O2", "-gdwarf-4"}},
		{"c++", "inlined.cc", "g++", []string{"-O2", "-g"}},
		{"rust", "inlined.rs", "rustc", []string{"-O", "-g"}},
		{"go", "inlined.go", "go", []string{"build"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := build(t, test.source, test.tool, test.args...)
			e := open(t, path, symbol.Options{})
			for name, line := range markedLines(t, test.source) {
				if qualified[test.source][name] == "" {
					continue
				}
				checkSource(t, e, test.source, line, qualified[test.source][name])
			}
		})
	}
}

func checkSource(t *testing.T, e *symbol.ELF, source string, line int, function string) {
	t.Helper()
	s, err := e.Source(source, line)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Files) != 1 || filepath.Base(s.Files[0]) != source {
		t.Errorf("%s:%d: files %v", source, line, s.Files)
	}
	if len(s.Places) == 0 {
		t.Errorf("%s:%d has no code; before %d, after %d", source, line, s.Before, s.After)
	}
	for _, p := range s.Places {
		if p.Line != line || len(p.Functions) == 0 || !slices.ContainsFunc(p.Functions, func(f string) bool { return plainName(f) == function }) {
			t.Errorf("%s:%d: %+v is not of %s", source, line, p, function)
		}
		if calls := e.Lookup(p.Offset); len(calls) == 0 || !slices.ContainsFunc(calls, func(c symbol.Call) bool { return c.Line == line && filepath.Base(c.File) == source }) {
			t.Errorf("%s:%d: what lies at %#x is %v", source, line, p.Offset, calls)
		}
	}
}

// The place of an inlined call includes the line of the call and the functions around it.
func TestPlacesOfInlinedCalls(t *testing.T) {
	for _, args := range [][]string{{"-O2", "-g"}, {"-O2", "-gdwarf-4"}} {
		path := build(t, "inlined.c", "gcc", args...)
		e := open(t, path, symbol.Options{})
		places, err := e.InlinedCalls(func(f string) bool { return f == "innermost" })
		if err != nil {
			t.Fatal(err)
		}
		line := markedLines(t, "inlined.c")["middle"]
		if len(places) == 0 {
			t.Fatal("no calls of innermost")
		}
		for _, p := range places {
			if p.Line != line || filepath.Base(p.File) != "inlined.c" || strings.Join(p.Functions, " ") != "innermost middle outer" {
				t.Errorf("%v: got %+v, want a call in line %d, of innermost in middle in outer", args, p, line)
			}
		}
		outer := function(t, e, "outer")
		file, at, ok := e.Declaration(outer.Offset)
		if want := markedLines(t, "inlined.c")["outer"] - 1; !ok || at != want || filepath.Base(file) != "inlined.c" {
			t.Errorf("outer is declared at %s:%d (%t), want line %d", file, at, ok, want)
		}
	}
}

// For lines without code, the neighbouring lines are returned. Files match by whole names.
func TestSourceElsewhere(t *testing.T) {
	e := open(t, build(t, "inlined.c", "gcc", "-O2", "-g"), symbol.Options{})
	line := markedLines(t, "inlined.c")["quiet"]
	s, err := e.Source("testdata/inlined.c", line-2) // an empty line
	if err != nil || len(s.Places) != 0 || len(s.Files) != 1 || s.Before == 0 || s.Before >= line-2 || s.After <= line-2 || s.After > line {
		t.Errorf("an empty line: %+v, %v", s, err)
	}
	for _, name := range []string{"lined.c", "other.c", ""} {
		if s, err := e.Source(name, line); err != nil || len(s.Files) != 0 || len(s.Places) != 0 {
			t.Errorf("%q: %+v, %v", name, s, err)
		}
	}
}

func TestDemangleName(t *testing.T) {
	for mangled, want := range map[string]string{
		"_ZN4shop6Basket5countEi":                          "shop::Basket::count",
		"_Z3addIiET_S0_S0_":                                "add<int>",
		"_ZNK3FoocvbEv":                                    "Foo::operator bool",
		"_ZN12_GLOBAL__N_13runEPKc":                        "(anonymous namespace)::run",
		"_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE": "core::fmt::Write::write_fmt",
		"main": "main",
	} {
		if got := symbol.DemangleName(mangled); got != want {
			t.Errorf("%s: got %s, want %s", mangled, got, want)
		}
	}
}
