package probe_test

import (
	"slices"
	"strings"
	"testing"
)

// Functions are found by their C++ names. Parameters are optional if the name is
// unambiguous.
func TestSourceNames(t *testing.T) {
	program := compile(t, "g++", "overloads", "overloads.cc")
	r := user(t, 0)
	for name, want := range map[string][]string{
		`"shop::Basket::count(int) const"`:                         {"_ZNK4shop6Basket5countEi"},
		`"shop::Basket::total"`:                                    {"_ZNK4shop6Basket5totalEmm"},
		`"shop::Basket::total(unsigned long,unsigned long) const"`: {"_ZNK4shop6Basket5totalEmm"},
		`"shop::largest<int>"`:                                     {"_ZN4shop7largestIiEET_S1_S1_"},
		`alone`:                                                    {"_Z5alonei"},
		`shop::Basket::count*`:                                     {"_ZNK4shop6Basket5countEPKc", "_ZNK4shop6Basket5countEi"},
		`shop::*::total`:                                           {"_ZNK4shop6Basket5totalEmm"},
		`_ZNK4shop6Basket5countEi`:                                 {"_ZNK4shop6Basket5countEi"},
	} {
		probes, err := resolve(t, r, "u:"+program+":"+name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, p := range probes {
			got = append(got, p.Function)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	for name, want := range map[string]string{
		`"shop::Basket::count"`:       "2 functions have this name: give the parameters, or a pattern for all of them: shop::Basket::count(char const*) const, shop::Basket::count(int) const",
		`"shop::Basket::cuont"`:       "(nearest: shop::Basket::count)",
		`"Basket::total"`:             "(nearest: shop::Basket::total)",
		`"shop::Basket::count(long)"`: "shop::Basket::count(int) const",
	} {
		if _, err := resolve(t, r, "u:"+program+":"+name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", name, err, want)
		}
	}
}

// An IFUNC is probed at its implementations, found in its code or by name.
func TestIndirectFunctions(t *testing.T) {
	program := compile(t, "gcc", "program", programSources...)
	probes, err := resolve(t, user(t, 0), "u:"+program+":indirect")
	if err != nil || len(probes) != 1 || len(probes[0].Sites) != 1 {
		t.Fatalf("%+v, %v", probes, err)
	}
	chosen := mustResolve(t, "u:"+program+":chosen")
	if p := probes[0]; p.Sites[0].Offset != chosen.Offset || len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "indirect is an IFUNC: the probe is at the 1 implementation it chooses from, which other functions may share: chosen") {
		t.Errorf("%+v; chosen is at %#x", p, chosen.Offset)
	}
}

// A breakpoint inside an instruction would change the program.
func TestOffsetsAreInstructions(t *testing.T) {
	program := compile(t, "gcc", "program", append(programSources, "-fcf-protection=none")...)
	r := user(t, 0)
	// imul edi by the constant, 6 bytes; add 1, 3 bytes; ret
	for offset, ok := range map[string]bool{"+0": true, "+1": false, "+5": false, "+6": true, "+7": false, "+9": true} {
		_, err := resolve(t, r, "u:"+program+":first"+offset)
		if ok && err != nil || !ok && (err == nil || !strings.Contains(err.Error(), "is inside an instruction of first")) {
			t.Errorf("first%s: %v", offset, err)
		}
	}
}
