package symbol

import (
	"bytes"
	"debug/elf"
	"errors"
	"io"
	"sync"

	"trapline/internal/debuginfo"
)

// An ELF names the code of one ELF image. It reads tables on first use. All methods except
// Close are safe for concurrent use.
type ELF struct {
	*object
	opt       Options
	buildID   []byte
	goBuildID string
	loads     []elf.ProgHeader // PT_LOAD, executable segments first

	debug     func() *object         // separate debug file; nil if none was found
	mini      func() *object         // mini debug info; nil if there is none
	functions func() *functionTable  // never nil
	goTable   func() *goTable        // nil if not a Go program
	dwarf     func() *debuginfo.Info // nil if there is no debug information

	mu     sync.Mutex
	opened []io.Closer
}

// Close closes the separate debug files.
func (e *ELF) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var errs []error
	for _, c := range e.opened {
		errs = append(errs, c.Close())
	}
	e.opened = nil
	return errors.Join(errs...)
}

// BuildID returns the GNU build ID, or nil if the image has none.
func (e *ELF) BuildID() []byte { return bytes.Clone(e.buildID) }

// GoBuildID returns the build ID from Go's linker, or "" if the image has none.
func (e *ELF) GoBuildID() string { return e.goBuildID }

// IsGo reports whether the image has code compiled by the Go compiler.
func (e *ELF) IsGo() bool {
	return e.goBuildID != "" || e.section(".gopclntab") != nil ||
		e.section(".data.rel.ro.gopclntab") != nil || e.section(".go.buildinfo") != nil
}

// HasDebugFile reports whether the image's separate debug file is installed.
func (e *ELF) HasDebugFile() bool { return e.debug() != nil }

// DebugFiles returns the contents of the separate debug file and of mini debug info, as
// far as the image has them. They can be read until Close.
func (e *ELF) DebugFiles() (files []io.ReaderAt) {
	for _, find := range []func() *object{e.debug, e.mini} {
		if o := find(); o != nil {
			files = append(files, o.r)
		}
	}
	return files
}

// Memory returns the approximate number of bytes of memory that tables use. It grows as more
// tables are read.
func (e *ELF) Memory() int64 { return e.memory.Bytes() }

// FileOffset returns the file offset of a virtual address.
func (e *ELF) FileOffset(vaddr uint64) (uint64, bool) {
	for _, p := range e.loads {
		if vaddr >= p.Vaddr && vaddr-p.Vaddr < p.Filesz {
			return vaddr - p.Vaddr + p.Off, true
		}
	}
	return 0, false
}

// Address returns the linked virtual address of a file offset.
func (e *ELF) Address(fileOffset uint64) (uint64, bool) {
	for _, p := range e.loads {
		if fileOffset >= p.Off && fileOffset-p.Off < p.Filesz {
			return fileOffset - p.Off + p.Vaddr, true
		}
	}
	return 0, false
}

// executable reports whether an address is in an executable segment.
func (e *ELF) executable(addr uint64) bool {
	for _, p := range e.loads {
		if p.Flags&elf.PF_X != 0 && addr >= p.Vaddr && addr-p.Vaddr < p.Filesz {
			return true
		}
	}
	return false
}

// segmentEnd returns the end of the segment that contains an address.
func (e *ELF) segmentEnd(addr uint64) uint64 {
	for _, p := range e.loads {
		if addr >= p.Vaddr && addr-p.Vaddr < p.Filesz {
			return p.Vaddr + p.Filesz
		}
	}
	return addr
}
