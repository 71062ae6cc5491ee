package program

import (
	"debug/elf"
	"fmt"
	"os"

	"trapline/internal/symbol"
	"trapline/internal/x86"
)

// code64 reads the first size bytes of a function.
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

// CheckInstruction returns an error if the offset is inside an instruction, where a
// breakpoint would corrupt the program: the kernel does not check. It returns nil if the
// code cannot be decoded up to the offset.
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

// CheckOffset does the same for a file offset if it is in a known function.
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

// maxFunction is the size in bytes of the largest function that is searched. The largest
// functions of the Go toolchain have a few hundred KiB.
const maxFunction = 16 << 20
