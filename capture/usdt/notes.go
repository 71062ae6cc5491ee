package usdt

import (
	"bytes"
	"cmp"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// sys/sdt.h of SystemTap puts notes into programs. Their layout is described in
// https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation.
const (
	sdtSection  = ".note.stapsdt"
	sdtBase     = ".stapsdt.base" // a section that moves with the code when prelink changes addresses
	sdtOwner    = "stapsdt"
	sdtType     = 3
	maxSDTBytes = 16 << 20 // size of all notes; Firefox has 70 KiB
)

// A Note declares one place of a probe.
type Note struct {
	Provider, Name string
	Arguments      string // assembler operands: "-4@%edi 8@-16(%rbp)"
	Address        uint64 // of the instruction, a nop
	base           uint64 // address of .stapsdt.base when the program was linked
	Semaphore      uint64 // address of a u16 that counts the attached tracers; 0 means none
}

// A Probe is a USDT probe of a program or library.
type Probe struct {
	Provider, Name string
	Notes          []Note // one for each address
}

var errBadNote = errors.New("damaged notes of USDT probes")

// parseSDTNotes parses the contents of a .note.stapsdt section. It returns the notes
// before a damaged one with the error.
func parseSDTNotes(b []byte, order binary.ByteOrder, wordSize int) ([]Note, error) {
	var notes []Note
	for len(b) > 0 {
		const header = 12 // struct elf64_note, the same in both classes
		if len(b) < header {
			return notes, errBadNote
		}
		nameSize, descSize, typ := order.Uint32(b), order.Uint32(b[4:]), order.Uint32(b[8:])
		b = b[header:]
		owner, rest, ok := cutPadded(b, nameSize)
		if !ok {
			return notes, errBadNote
		}
		desc, rest, ok := cutPadded(rest, descSize)
		if !ok {
			return notes, errBadNote
		}
		b = rest
		if typ != sdtType || string(bytes.TrimRight(owner, "\x00")) != sdtOwner {
			continue
		}
		n, ok := parseSDTDescription(desc, order, wordSize)
		if !ok {
			return notes, errBadNote
		}
		notes = append(notes, n)
	}
	return notes, nil
}

// cutPadded cuts off the first n bytes and their padding to a multiple of 4, which the
// last note may lack.
func cutPadded(b []byte, n uint32) (head, rest []byte, ok bool) {
	if uint64(n) > uint64(len(b)) {
		return nil, nil, false
	}
	return b[:n], b[min((uint64(n)+3)&^3, uint64(len(b))):], true
}

// parseSDTDescription parses three addresses and three strings.
func parseSDTDescription(b []byte, order binary.ByteOrder, wordSize int) (n Note, ok bool) {
	if len(b) < 3*wordSize {
		return n, false
	}
	for i, to := range []*uint64{&n.Address, &n.base, &n.Semaphore} {
		if wordSize == 8 {
			*to = order.Uint64(b[8*i:])
		} else {
			*to = uint64(order.Uint32(b[4*i:]))
		}
	}
	b = b[3*wordSize:]
	for _, to := range []*string{&n.Provider, &n.Name, &n.Arguments} {
		text, rest, terminated := bytes.Cut(b, []byte{0})
		if !terminated && to != &n.Arguments {
			return n, false
		}
		if !isSDTText(text) {
			return n, false
		}
		*to, b = string(text), rest
	}
	return n, n.Provider != "" && n.Name != ""
}

// isSDTText reports whether text is printable ASCII.
func isSDTText(text []byte) bool {
	for _, c := range text {
		if c < 0x20 || c >= 0x7f {
			return false
		}
	}
	return true
}

// Read returns the probes that a program declares, sorted by provider and name. Their
// addresses are corrected for prelink.
func Read(f *elf.File) ([]Probe, error) {
	notes, err := readNotes(f)
	if err != nil && len(notes) == 0 {
		return nil, err
	}
	slices.SortStableFunc(notes, func(x, y Note) int {
		return cmp.Or(cmp.Compare(x.Provider, y.Provider), cmp.Compare(x.Name, y.Name))
	})
	var probes []Probe
	for _, n := range notes {
		last := len(probes) - 1
		if last < 0 || probes[last].Provider != n.Provider || probes[last].Name != n.Name {
			probes = append(probes, Probe{Provider: n.Provider, Name: n.Name})
			last++
		}
		if !slices.ContainsFunc(probes[last].Notes, func(o Note) bool { return o.Address == n.Address }) {
			probes[last].Notes = append(probes[last].Notes, n)
		}
	}
	return probes, nil
}

// readNotes returns the notes of a program with corrected addresses.
func readNotes(f *elf.File) ([]Note, error) {
	section := f.Section(sdtSection)
	if section == nil {
		return nil, nil
	}
	if section.Type != elf.SHT_NOTE || section.Size > maxSDTBytes {
		return nil, errBadNote
	}
	b := make([]byte, section.Size)
	if _, err := io.ReadFull(section.Open(), b); err != nil {
		return nil, fmt.Errorf("%s: %w", sdtSection, err)
	}
	wordSize := 8
	if f.Class == elf.ELFCLASS32 {
		wordSize = 4
	}
	notes, err := parseSDTNotes(b, f.ByteOrder, wordSize)
	if base := f.Section(sdtBase); base != nil {
		for i := range notes {
			n := &notes[i]
			moved := base.Addr - n.base
			n.Address += moved
			if n.Semaphore != 0 {
				n.Semaphore += moved
			}
		}
	}
	return notes, err
}
