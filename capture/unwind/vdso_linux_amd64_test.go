package unwind_test

import (
	"debug/elf"
	"testing"

	"trapline/capture/unwind"
	"trapline/internal/symbol"
)

// The vdso exists only in memory, but has complete unwind information.
func TestVDSO(t *testing.T) {
	memory, err := symbol.VDSO()
	if err != nil {
		t.Fatal(err)
	}
	image, err := unwind.ReadImage(memory)
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.NewFile(memory)
	if err != nil {
		t.Fatal(err)
	}
	symbols, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	functions := 0
	for _, s := range symbols {
		if elf.ST_TYPE(s.Info) != elf.STT_FUNC {
			continue
		}
		functions++
		want := unwind.Rule{Kind: unwind.RuleStep, Base: unwind.RegSP, CFA: 8}
		if got := image.Rule(s.Value); got != want { // the vdso's first segment is all of it, at 0
			t.Errorf("%s: got %+v, want %+v", s.Name, got, want)
		}
		for at := range s.Size {
			if got := image.Rule(s.Value + at); got.Kind != unwind.RuleStep {
				t.Errorf("%s+%d: got %+v", s.Name, at, got)
				break
			}
		}
	}
	if functions < 4 {
		t.Errorf("only %d functions were checked", functions)
	}
}
