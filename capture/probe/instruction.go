package probe

import (
	"debug/elf"
	"fmt"
	"os"

	"trapline/internal/symbol"
	"trapline/internal/x86"
)

// code64 reads the first bytes of a function.
func (b *binaryFile) code64(f *symbol.Function, size uint64) ([]byte, error) {
	if size == 0 || size > maxFunction {
		return nil, fmt.Errorf("%s is %d bytes long", f.Name, size)
	}
	file, err := os.Open(b.path.open)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	code := make([]byte, size)
	_, err = file.ReadAt(code, int64(f.Offset))
	return code, err
}

// checkInstruction refuses an offset inside an instruction, where a breakpoint would
// make another program of it: the kernel does not look. Where the code cannot be
// decoded up to there, nothing is said.
func (b *binaryFile) checkInstruction(ev *Event, f *symbol.Function, offset uint64) error {
	if b.machine != elf.EM_X86_64 || offset == 0 || offset >= f.Size {
		return nil
	}
	code, err := b.code64(f, min(f.Size, offset+x86.MaxLen))
	if err != nil {
		return nil
	}
	for at := 0; ; {
		if uint64(at) == offset {
			return nil
		}
		n, err := x86.Len(code[at:])
		if err != nil {
			return nil
		}
		if next := at + n; uint64(next) > offset {
			return &InvalidError{ev.Text, fmt.Sprintf("offset 0x%x is inside an instruction of %s: instructions begin at +0x%x and +0x%x", offset, f.Name, at, next)}
		}
		at += n
	}
}

// checkOffset does so for an offset in the file, if a function is known to be there.
func (b *binaryFile) checkOffset(ev *Event) error {
	all, err := b.functions()
	if err != nil {
		return nil
	}
	for i := range all {
		if f := &all[i]; ev.Offset >= f.Offset && ev.Offset-f.Offset < f.Size {
			return b.checkInstruction(ev, f, ev.Offset-f.Offset)
		}
	}
	return nil
}
