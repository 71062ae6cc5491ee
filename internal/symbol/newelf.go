package symbol

import (
	"cmp"
	"debug/elf"
	"fmt"
	"io"
	"slices"
	"sync"

	"trapline/internal/meter"
)

// NewELF returns an ELF for the image in r. It reads only headers. r must stay readable until
// Close, which does not close it.
func NewELF(r io.ReaderAt, opt Options) (e *ELF, err error) {
	defer guard("reading ELF image", &err)
	if opt.DebugDirs == nil {
		opt.DebugDirs = []string{"/usr/lib/debug"}
	}
	obj, err := newObject(r, new(meter.Meter))
	if err != nil {
		return nil, fmt.Errorf("reading ELF image %q: %w", opt.Path, err)
	}
	e = &ELF{object: obj, opt: opt}
	for _, p := range obj.file.Progs {
		h := p.ProgHeader
		if h.Type == elf.PT_LOAD && h.Filesz > 0 && h.Off+h.Filesz > h.Off && h.Vaddr+h.Filesz > h.Vaddr {
			e.loads = append(e.loads, h)
		}
	}
	slices.SortStableFunc(e.loads, func(a, b elf.ProgHeader) int {
		return cmp.Compare(b.Flags&elf.PF_X, a.Flags&elf.PF_X)
	})
	e.buildID, e.goBuildID = obj.notes()
	e.debug = sync.OnceValue(e.findDebugFile)
	e.mini = sync.OnceValue(e.readMiniDebug)
	e.functions = sync.OnceValue(e.readFunctions)
	e.goTable = sync.OnceValue(e.readGoTable)
	e.dwarf = sync.OnceValue(e.readDWARF)
	return e, nil
}
