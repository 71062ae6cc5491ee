package probe

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The layout of the notes that sys/sdt.h of SystemTap puts into programs is described
// in https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation.
const (
	sdtSection  = ".note.stapsdt"
	sdtBase     = ".stapsdt.base" // a section that moves with the code when prelink changes addresses
	sdtOwner    = "stapsdt"
	sdtType     = 3
	maxSDTBytes = 16 << 20 // of notes in one program: firefox has 70 KiB
)

// An sdtNote is one place of a statically defined probe, as the program declares it.
type sdtNote struct {
	provider, name string
	arguments      string // operands of the assembler: "-4@%edi 8@-16(%rbp)"
	address        uint64 // of the instruction, a nop
	base           uint64 // of .stapsdt.base when the program was linked
	semaphore      uint64 // address of the u16 that says how many watch; 0: none
}

var errBadNote = errors.New("damaged notes of USDT probes")

// parseSDTNotes reads the contents of a .note.stapsdt section. Notes before a damaged
// one are returned with the error.
func parseSDTNotes(b []byte, order binary.ByteOrder, wordSize int) ([]sdtNote, error) {
	var notes []sdtNote
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

// cutPadded cuts the first n bytes off, and what fills them up to a multiple of 4;
// the last note's may be missing.
func cutPadded(b []byte, n uint32) (head, rest []byte, ok bool) {
	if uint64(n) > uint64(len(b)) {
		return nil, nil, false
	}
	return b[:n], b[min((uint64(n)+3)&^3, uint64(len(b))):], true
}

// parseSDTDescription reads three addresses and three strings.
func parseSDTDescription(b []byte, order binary.ByteOrder, wordSize int) (n sdtNote, ok bool) {
	if len(b) < 3*wordSize {
		return n, false
	}
	for i, to := range []*uint64{&n.address, &n.base, &n.semaphore} {
		if wordSize == 8 {
			*to = order.Uint64(b[8*i:])
		} else {
			*to = uint64(order.Uint32(b[4*i:]))
		}
	}
	b = b[3*wordSize:]
	for _, to := range []*string{&n.provider, &n.name, &n.arguments} {
		text, rest, terminated := bytes.Cut(b, []byte{0})
		if !terminated && to != &n.arguments {
			return n, false
		}
		if !isSDTText(text) {
			return n, false
		}
		*to, b = string(text), rest
	}
	return n, n.provider != "" && n.name != ""
}

// isSDTText reports whether a text is free of what would disturb a terminal.
func isSDTText(text []byte) bool {
	for _, c := range text {
		if c < 0x20 || c >= 0x7f {
			return false
		}
	}
	return true
}

// readSDTNotes reads the probes that a program declares, at the addresses where they
// are now.
func readSDTNotes(f *elf.File) ([]sdtNote, error) {
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
			n.address += moved
			if n.semaphore != 0 {
				n.semaphore += moved
			}
		}
	}
	return notes, err
}
