package unwind

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sort"
)

// An ORC finds rules in the ORC tables of the kernel and its modules. It keeps their raw
// bytes: a table of 500,000 entries takes 5 MB, and would take 10 MB as rules.
type ORC struct {
	layout ORCLayout
	tables []orcTable // by address
}

// An orcTable is the unwind table of the kernel or a module. Each entry of .orc_unwind_ip
// is the distance from itself to the code that it describes. .orc_unwind has the struct
// orc_entry for it at the same index.
type orcTable struct {
	ip        []byte
	ipAddress uint64
	entries   []byte
	first     uint64 // address of code
}

// Sizes of the entries in bytes.
const (
	orcIPSize    = 4
	orcEntrySize = 6
)

// An ORCLayout is the layout of the flags of struct orc_entry in a kernel version
// (arch/x86/include/asm/orc_types.h).
type ORCLayout uint8

const (
	ORCWithEnd          ORCLayout = iota // type:2, end:1; before Linux 6.3
	ORCWithSignalAndEnd                  // type:2, signal:1, end:1; Linux 6.3
	ORCWithSignal                        // type:3, signal:1; since Linux 6.4
)

// NewORC returns an ORC without tables.
func NewORC(layout ORCLayout) *ORC { return &ORC{layout: layout} }

// Add adds a table: the bytes of .orc_unwind_ip, which is at ipAddress in the kernel, and
// of .orc_unwind. ORC keeps both slices.
func (o *ORC) Add(ip []byte, ipAddress uint64, entries []byte) error {
	n := len(ip) / orcIPSize
	if n == 0 || len(ip)%orcIPSize != 0 || len(entries) != n*orcEntrySize {
		return fmt.Errorf("orc tables of %d bytes of addresses and %d bytes of entries do not fit together: want 4 and 6 an entry", len(ip), len(entries))
	}
	t := orcTable{ip: ip, ipAddress: ipAddress, entries: entries}
	t.first = t.address(0)
	last := t.first
	for i := 1; i < n; i++ {
		address := t.address(i)
		if address < last {
			return fmt.Errorf("orc table is not sorted: entry %d is for %#x, the one before it for %#x", i, address, last)
		}
		last = address
	}
	at := sort.Search(len(o.tables), func(i int) bool { return o.tables[i].first > t.first })
	o.tables = slices.Insert(o.tables, at, t)
	return nil
}

// address returns the first address that entry i describes (orc_ip in
// arch/x86/kernel/unwind_orc.c).
func (t *orcTable) address(i int) uint64 {
	distance := int32(binary.LittleEndian.Uint32(t.ip[i*orcIPSize:]))
	return t.ipAddress + uint64(i*orcIPSize) + uint64(int64(distance))
}

// Rule returns the rule at an address of the kernel. For a return address, pass the byte
// before it. Tables mark gaps after code with an entry of their own.
func (o *ORC) Rule(address uint64) Rule {
	i := sort.Search(len(o.tables), func(i int) bool { return o.tables[i].first > address }) - 1
	if i < 0 {
		return Rule{}
	}
	t := &o.tables[i]
	// Of several entries for one address the last one counts. The others mark ends of
	// sections (orc_sort_cmp).
	n := sort.Search(len(t.ip)/orcIPSize, func(i int) bool { return t.address(i) > address }) - 1
	return o.layout.rule(t.entries[n*orcEntrySize:])
}

// Base registers of struct orc_entry: ORC_REG_* in orc_types.h.
const (
	orcUndefined = iota
	orcPrevSP
	orcDX
	orcDI
	orcBP
	orcSP
	orcR10
	orcR13
	orcBPIndirect
	orcSPIndirect
)

// Types of entries: ORC_TYPE_* in orc_types.h since Linux 6.4.
const (
	orcNone = iota
	orcEnd
	orcCall
	orcRegs
	orcRegsPartial
)

// Of struct pt_regs (arch/x86/include/asm/ptrace.h), in bytes.
const (
	ptRegsBP = 32
	ptRegsIP = 128 // the first word that the processor pushes
)

// An orcEntry is one struct orc_entry.
type orcEntry struct {
	spOffset, bpOffset int16
	spReg, bpReg, kind uint8
	signal             bool // the caller was interrupted
}

func (l ORCLayout) entry(b []byte) orcEntry {
	e := orcEntry{
		spOffset: int16(binary.LittleEndian.Uint16(b)), bpOffset: int16(binary.LittleEndian.Uint16(b[2:])),
		spReg: b[4] & 15, bpReg: b[4] >> 4,
	}
	flags := b[5]
	if l == ORCWithSignal {
		e.kind, e.signal = flags&7, flags&8 != 0
		return e
	}
	// Before Linux 6.4, types began with ORC_TYPE_CALL, and undefined entries had no base.
	e.kind = orcCall + flags&3
	end := flags & 4
	if l == ORCWithSignalAndEnd {
		e.signal, end = flags&4 != 0, flags&8
	} else {
		e.signal = e.kind != orcCall
	}
	if e.spReg == orcUndefined {
		e.kind = orcNone
		if end != 0 {
			e.kind = orcEnd
		}
	}
	return e
}

// rule does what unwind_next_frame does in arch/x86/kernel/unwind_orc.c.
func (l ORCLayout) rule(b []byte) Rule {
	e := l.entry(b)
	r := Rule{Kind: RuleStep, CFA: int32(e.spOffset), Interrupted: e.signal}
	switch e.kind {
	case orcNone:
		return Rule{}
	case orcEnd:
		return Rule{Kind: RuleEnd}
	case orcCall, orcRegs, orcRegsPartial:
	default:
		return Rule{}
	}
	switch e.spReg {
	case orcSP:
		r.Base = RegSP
	case orcBP:
		r.Base = RegFP
	case orcBPIndirect:
		r.Base, r.Deref = RegFP, true
	case orcSPIndirect:
		r.Base, r.Kind, r.Switch = RegSP, RuleStackSwitch, true
	case orcDX, orcDI, orcR10, orcR13: // used without an offset
		r.Base, r.CFA = [...]uint8{orcDX: 1, orcDI: 5, orcR10: 10, orcR13: 13}[e.spReg], 0
	default:
		return Rule{}
	}
	switch e.bpReg {
	case orcUndefined:
	case orcPrevSP:
		r.SavesFP, r.FP = true, e.bpOffset
	case orcBP:
		r.SavesFP, r.FPFromFP, r.FP = true, true, e.bpOffset
	default:
		return Rule{}
	}
	if e.kind == orcCall {
		return r
	}
	if r.Kind != RuleStep || r.Deref || r.SavesFP { // entry code has no such entries
		return Rule{Kind: RuleExact}
	}
	r.Kind = RuleRegisters
	if e.kind == orcRegs {
		r.SavesFP, r.FP = true, ptRegsBP
	} else {
		r.CFA -= ptRegsIP
	}
	return r
}
