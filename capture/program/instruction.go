package program

import (
	"debug/elf"
	"fmt"
	"os"

	"trapline/internal/symbol"
	"trapline/internal/x86"
)

// code64 reads the first bytes of a function.
func (f *File) code64(fn *symbol.Function, size uint64) ([]byte, error) {
	if size == 0 || size > maxFunction {
		return nil, fmt.Errorf("%s is %d bytes long", fn.Name, size)
	}
	file, err := os.Open(f.Path.Open)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	code := make([]byte, size)
	_, err = file.ReadAt(code, int64(fn.Offset))
	return code, err
}

// CheckInstruction refuses an offset inside an instruction, where a breakpoint would
// make another program of it: the kernel does not look. Where the code cannot be
// decoded up to there, nothing is said.
func (f *File) CheckInstruction(fn *symbol.Function, offset uint64) error {
	if f.Machine != elf.EM_X86_64 || offset == 0 || offset >= fn.Size {
		return nil
	}
	code, err := f.code64(fn, min(fn.Size, offset+x86.MaxLen))
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
			return fmt.Errorf("offset 0x%x is inside an instruction of %s: instructions begin at +0x%x and +0x%x", offset, fn.Name, at, next)
		}
		at += n
	}
}

// CheckOffset does so for an offset in the file, if a function is known to be there.
func (f *File) CheckOffset(offset uint64) error {
	all, err := f.Functions()
	if err != nil {
		return nil
	}
	for i := range all {
		if fn := &all[i]; offset >= fn.Offset && offset-fn.Offset < fn.Size {
			return f.CheckInstruction(fn, offset-fn.Offset)
		}
	}
	return nil
}

// maxFunction is the size of the largest function that is searched, in bytes. The
// largest that Go's own programs have are some hundred KiB long.
const maxFunction = 16 << 20
