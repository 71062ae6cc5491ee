package symbol

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"

	"trapline/internal/elffile"
	"trapline/internal/meter"
)

// Types of notes in binutils and cmd/link.
const (
	noteGNUBuildID = 3
	noteGoBuildID  = 4
	maxNotes       = 1 << 20 // bytes; typical notes have a few hundred
)

// ReadBuildID returns the GNU build ID of the ELF image in r, or nil if it has none. It
// reads only program headers and notes.
func ReadBuildID(r io.ReaderAt) (id []byte, err error) {
	defer guard("reading build ID", &err)
	// Section headers, at the far end of the file, are not needed.
	if h, hErr := elffile.WithoutSections(r); hErr == nil {
		r = h
	}
	obj, err := newObject(r, new(meter.Meter))
	if err != nil {
		return nil, fmt.Errorf("reading build ID: %w", err)
	}
	id, _ = obj.notes()
	return id, nil
}

// notes returns the build IDs in the notes of program headers or, for separate debug files,
// whose segments have no contents, of sections.
func (o *object) notes() (gnu []byte, golang string) {
	visit := func(off, size uint64) {
		if size > maxNotes {
			return
		}
		b, err := elffile.ReadRange(o.r, off, size)
		if err != nil {
			return
		}
		eachNote(b, o.file.ByteOrder, func(owner string, typ uint32, desc []byte) {
			switch {
			case owner == "GNU" && typ == noteGNUBuildID && gnu == nil && len(desc) > 0:
				gnu = bytes.Clone(desc)
			case owner == "Go" && typ == noteGoBuildID && golang == "":
				golang = string(desc)
			}
		})
	}
	for _, s := range o.file.Sections {
		if s.Type == elf.SHT_NOTE && s.Flags&elf.SHF_COMPRESSED == 0 {
			visit(s.Offset, s.Size)
		}
	}
	if gnu != nil {
		return gnu, golang
	}
	for _, p := range o.file.Progs {
		if p.Type == elf.PT_NOTE {
			visit(p.Off, p.Filesz)
		}
	}
	return gnu, golang
}

// eachNote calls visit for each note of a note section.
func eachNote(b []byte, order binary.ByteOrder, visit func(owner string, typ uint32, desc []byte)) {
	align := func(n uint64) uint64 { return (n + 3) &^ 3 }
	for len(b) >= 12 {
		nameLen, descLen := uint64(order.Uint32(b)), uint64(order.Uint32(b[4:]))
		typ := order.Uint32(b[8:])
		b = b[12:]
		if align(nameLen) > uint64(len(b)) || descLen > uint64(len(b))-align(nameLen) {
			return
		}
		name := b[:nameLen]
		b = b[align(nameLen):]
		visit(string(bytes.TrimRight(name, "\x00")), typ, b[:descLen])
		b = b[min(align(descLen), uint64(len(b))):]
	}
}
