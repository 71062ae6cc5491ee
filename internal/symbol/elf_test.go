package symbol_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"slices"
	"strings"
	"testing"

	"trapline/internal/symbol"
)

// TestWithoutSectionHeaders names Go functions in a program whose section headers are
// missing or invalid.
func TestWithoutSectionHeaders(t *testing.T) {
	image, err := os.ReadFile(build(t, "inlined.go", "go", "build", "-ldflags=-s -w"))
	if err != nil {
		t.Fatal(err)
	}
	for name, sectionOffset := range map[string]uint64{"none": 0, "past the end": 1 << 40} {
		t.Run(name, func(t *testing.T) {
			b := bytes.Clone(image)
			binary.LittleEndian.PutUint64(b[40:], sectionOffset)
			if sectionOffset == 0 {
				binary.LittleEndian.PutUint32(b[60:], 0)
			}
			e, err := symbol.NewELF(bytes.NewReader(b), symbol.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			if !e.IsGo() || e.GoBuildID() == "" {
				t.Error("not recognised as a Go program")
			}
			checkChain(t, e, "inlined.go", "innermost middle outer")
		})
	}
}

// TestSymbolRules builds an assembly program, whose source determines its symbols, and
// checks which of them are shown.
func TestSymbolRules(t *testing.T) {
	e := open(t, build(t, "symbols.s", "gcc", "-nostdlib", "-no-pie", "-Wl,--build-id=none"), symbol.Options{})
	start := function(t, e, "_start").Offset
	tests := []struct {
		offset uint64
		want   string // "" means no symbol
	}{
		{0x00, "_start"},
		{0x0f, "_start"},
		{0x10, ""}, // padding after a function that has a size
		{0x20, "public"},
		{0x2f, "public"},
		{0x30, "strong"}, // not the weak one, the one with underscores, or the shorter one
		{0x40, "sized"},  // not the one without a size
		{0x48, "sized"},  // a label inside does not end it
		{0x50, "open_ended"},
		{0x5f, "open_ended"},
		{0x60, "last"},
		{0x6f, "last"},
		{0x70, "other_section"}, // the one before ends with its section
	}
	for _, test := range tests {
		got := ""
		if calls := e.Lookup(start + test.offset); len(calls) > 0 {
			got = calls[len(calls)-1].Function
		}
		if got != test.want {
			t.Errorf("_start+%#x is %q, want %q", test.offset, got, test.want)
		}
	}
	// Aliases are found too.
	strong := function(t, e, "strong")
	for _, name := range []string{"weak_alias_of_it", "__strong_too", "stro"} {
		if f := function(t, e, name); f.Address != strong.Address {
			t.Errorf("%s is at %#x, want %#x", name, f.Address, strong.Address)
		}
	}
	for name, global := range map[string]bool{"_start": true, "weak_alias_of_it": true, "sized": false} {
		if f := function(t, e, name); f.Global != global {
			t.Errorf("%s: Global is %v", name, f.Global)
		}
	}
	if f := function(t, e, "open_ended"); f.Size != 16 {
		t.Errorf("open_ended has %d bytes, want 16: up to the next symbol", f.Size)
	}
	fns, err := e.Functions()
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range fns {
		if i > 0 && f.Address < fns[i-1].Address {
			t.Errorf("%s comes after %s", f.Name, fns[i-1].Name)
		}
		if strings.HasPrefix(f.Name, "inner_label") || f.Name == "datum" || f.Name == "absolute" {
			t.Errorf("%s is listed as a function", f.Name)
		}
	}
}

// TestStubs names the stubs through which a program calls libraries.
func TestStubs(t *testing.T) {
	for name, args := range map[string][]string{
		"lazy":  {"-O2"},
		"now":   {"-O2", "-Wl,-z,now"},
		"ibt":   {"-O2", "-fcf-protection=full", "-Wl,-z,ibtplt"},
		"fixed": {"-O2", "-no-pie"},
	} {
		t.Run(name, func(t *testing.T) {
			program := build(t, "inlined.c", "gcc", args...)
			e := open(t, program, symbol.Options{})
			f, err := elf.Open(program)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			found := make(map[string]bool)
			for _, s := range f.Sections {
				if !strings.HasPrefix(s.Name, ".plt") {
					continue
				}
				for off := s.Offset; off < s.Offset+s.FileSize; off++ {
					for _, c := range e.Lookup(off) {
						found[c.Function] = true
					}
				}
			}
			for _, want := range []string{"puts@plt", "strlen@plt"} {
				if !found[want] {
					t.Errorf("missing %s among %v", want, found)
				}
			}
		})
	}
}

func TestBuildIDs(t *testing.T) {
	program := build(t, "inlined.c", "gcc", "-Wl,--build-id=0x0123456789abcdef")
	want := []byte{1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef}
	e := open(t, program, symbol.Options{})
	if id := e.BuildID(); !bytes.Equal(id, want) {
		t.Errorf("build ID is %x, want %x", id, want)
	}
	if e.IsGo() || e.GoBuildID() != "" {
		t.Error("a C program is taken for one of Go")
	}
	f, err := os.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if id, err := symbol.ReadBuildID(f); err != nil || !bytes.Equal(id, want) {
		t.Errorf("build ID is %x, %v, want %x", id, err, want)
	}
	if _, err := symbol.ReadBuildID(strings.NewReader("#!/bin/sh\n")); err == nil {
		t.Error("a script has a build ID")
	}
}

func TestFunctionsOnly(t *testing.T) {
	e := open(t, build(t, "inlined.c", "gcc", "-O2", "-g"), symbol.Options{NoLines: true})
	f := function(t, e, "outer")
	want := []symbol.Call{{Function: "outer", Offset: 2}}
	if got := e.Lookup(f.Offset + 2); !slices.Equal(got, want) {
		t.Errorf("outer+2 is %v, want %v", got, want)
	}
}

func TestDemangle(t *testing.T) {
	for name, want := range map[string]string{
		"_ZN4shop6Basket5countEi":               "shop::Basket::count(int)",
		"_ZN4shop6Basket5countEi@plt":           "shop::Basket::count(int)@plt",
		"_RNvC6_123foo3bar":                     "123foo::bar",
		"_ZN7inlined5outer17h0fe2075b3052d92bE": "inlined::outer",
		"main.(*T).Run":                         "main.(*T).Run",
		"_Zalone":                               "_Zalone",
		"":                                      "",
		"_Z" + strings.Repeat("N", 1<<16):       "_Z" + strings.Repeat("N", 1<<16),
		"_ZN4shop6Basket5countEi.part.0":        "shop::Basket::count(int) [clone .part.0]",
		"_ZZN4shop6Basket5countEiENKUlvE_clEv.isra.0": "shop::Basket::count(int)::{lambda()#1}::operator()() const [clone .isra.0]",
	} {
		if got := symbol.Demangle(name); got != want {
			t.Errorf("%.60q is %.60q, want %q", name, got, want)
		}
	}
}
