package unwind_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"trapline/capture/unwind"
)

// An orcFixture is an ORC table under construction.
type orcFixture struct{ ip, entries []byte }

const orcAt = 0xffffffff83000000 // address of the fixtures' .orc_unwind_ip

func (f *orcFixture) add(address uint64, entry ...byte) {
	f.ip = binary.LittleEndian.AppendUint32(f.ip, uint32(address-orcAt-uint64(len(f.ip))))
	f.entries = append(f.entries, entry...)
}

// The bytes follow struct orc_entry: sp_offset, bp_offset, sp_reg|bp_reg<<4, flags.
func TestORCRules(t *testing.T) {
	called := unwind.Rule{Kind: unwind.RuleStep, Base: unwind.RegSP, CFA: 8}
	for _, layout := range []struct {
		name   string
		layout unwind.ORCLayout
		// flags of entries of each type
		none, end, call, regs, partial, returned byte
	}{
		{"before 6.3", unwind.ORCWithEnd, 0, 4, 0, 1, 2, 0},
		{"6.3", unwind.ORCWithSignalAndEnd, 0, 8, 0, 1 | 4, 2 | 4, 1},
		{"6.4", unwind.ORCWithSignal, 0, 1, 2, 3 | 8, 4 | 8, 3},
	} {
		t.Run(layout.name, func(t *testing.T) {
			var f orcFixture
			want := map[uint64]unwind.Rule{}
			at := uint64(0xffffffff81000000)
			add := func(rule unwind.Rule, entry ...byte) {
				f.add(at, entry...)
				want[at], want[at+15] = rule, rule
				at += 16
			}
			add(called, 8, 0, 0, 0, 0x05, layout.call)
			add(unwind.Rule{Kind: unwind.RuleStep, Base: unwind.RegSP, CFA: 16, SavesFP: true, FP: -16}, 16, 0, 0xf0, 0xff, 0x15, layout.call)
			add(unwind.Rule{Kind: unwind.RuleStep, Base: unwind.RegFP, CFA: 16, SavesFP: true, FP: -16}, 16, 0, 0xf0, 0xff, 0x14, layout.call)
			add(unwind.Rule{Kind: unwind.RuleStep, Base: unwind.RegFP, CFA: -8, Deref: true, SavesFP: true, FPFromFP: true}, 0xf8, 0xff, 0, 0, 0x48, layout.call)
			add(unwind.Rule{Kind: unwind.RuleStep, Base: 10}, 0, 0, 0, 0, 0x06, layout.call)
			add(unwind.Rule{Kind: unwind.RuleStackSwitch, Base: unwind.RegSP, CFA: 8, Switch: true}, 8, 0, 0, 0, 0x09, layout.call)
			add(unwind.Rule{Kind: unwind.RuleRegisters, Base: unwind.RegSP, SavesFP: true, FP: 32, Interrupted: true}, 0, 0, 0, 0, 0x05, layout.regs)
			add(unwind.Rule{Kind: unwind.RuleRegisters, Base: unwind.RegSP, CFA: 8 - 128, Interrupted: true}, 8, 0, 0, 0, 0x05, layout.partial)
			if layout.layout != unwind.ORCWithEnd {
				add(unwind.Rule{Kind: unwind.RuleRegisters, Base: unwind.RegSP, SavesFP: true, FP: 32}, 0, 0, 0, 0, 0x05, layout.returned)
			}
			add(unwind.Rule{Kind: unwind.RuleEnd}, 0, 0, 0, 0, 0, layout.end)
			// One section ends at the address where another starts.
			f.add(at, 0, 0, 0, 0, 0, layout.none)
			add(called, 8, 0, 0, 0, 0x05, layout.call)
			add(unwind.Rule{}, 0, 0, 0, 0, 0, layout.none)

			var module orcFixture
			module.add(0xffffffffc0000000, 8, 0, 0, 0, 0x05, layout.call)
			module.add(0xffffffffc0000010, 0, 0, 0, 0, 0, layout.none)
			want[0xffffffffc0000008], want[0xffffffffc0000010] = called, unwind.Rule{}
			want[0xffffffffbfffffff], want[0xffffffff80ffffff] = unwind.Rule{}, unwind.Rule{}

			orc := unwind.NewORC(layout.layout)
			for _, table := range []orcFixture{module, f} {
				if err := orc.Add(table.ip, orcAt, table.entries); err != nil {
					t.Fatal(err)
				}
			}
			for address, rule := range want {
				if got := orc.Rule(address); got != rule {
					t.Errorf("at %#x: %+v, want %+v", address, got, rule)
				}
			}
		})
	}
}

func TestORCRefused(t *testing.T) {
	var sorted, unsorted orcFixture
	sorted.add(orcAt-16, 8, 0, 0, 0, 5, 2)
	unsorted.add(orcAt-16, 8, 0, 0, 0, 5, 2)
	unsorted.add(orcAt-17, 8, 0, 0, 0, 5, 2)
	for name, f := range map[string]orcFixture{
		"empty": {}, "half an address": {sorted.ip[:2], sorted.entries}, "half an entry": {sorted.ip, sorted.entries[:5]},
		"more addresses": {append(bytes.Clone(sorted.ip), sorted.ip...), sorted.entries}, "unsorted": unsorted,
	} {
		orc := unwind.NewORC(unwind.ORCWithSignal)
		if err := orc.Add(f.ip, orcAt, f.entries); err == nil {
			t.Errorf("%s: no error", name)
		}
		if got := orc.Rule(orcAt - 16); got != (unwind.Rule{}) {
			t.Errorf("%s: %+v after the error", name, got)
		}
	}
}

func FuzzORC(f *testing.F) {
	var seed orcFixture
	seed.add(orcAt-64, 8, 0, 0, 0, 0x05, 2)
	seed.add(orcAt-32, 16, 0, 0xf0, 0xff, 0x14, 2)
	seed.add(orcAt-16, 0, 0, 0, 0, 0, 0)
	f.Add(seed.ip, seed.entries, uint64(orcAt-20), uint8(unwind.ORCWithSignal))
	f.Fuzz(func(t *testing.T, ip, entries []byte, address uint64, layout uint8) {
		orc := unwind.NewORC(unwind.ORCLayout(layout))
		if orc.Add(ip, orcAt, entries) != nil {
			return
		}
		rule := orc.Rule(address)
		if rule.Base > unwind.RegIP || (rule.Kind == unwind.RuleNone) != (rule == unwind.Rule{}) {
			t.Errorf("%+v", rule)
		}
	})
}
