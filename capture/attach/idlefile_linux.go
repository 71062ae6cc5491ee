package attach

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// idleOffset is the file offset of the code.
const idleOffset = 0x1000

// openIdleFile returns an executable that is never run, so a uprobe in it changes nothing:
// the kernel looks at the instruction only where a process has it mapped. It is a memfd
// because no directory need be writable.
func openIdleFile() (*os.File, error) {
	fd, err := unix.MemfdCreate("trapline", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "trapline")
	if _, err := f.Write(idleFile()); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// idleFile returns the smallest executable that can be probed: a header and a segment
// with 16 bytes of code.
func idleFile() []byte {
	header := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Entry: idleOffset, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1, Shentsize: 64,
	}
	code := bytes.Repeat([]byte{0x90}, 16) // nop
	if runtime.GOARCH == "arm64" {
		header.Machine = uint16(elf.EM_AARCH64)
		code = bytes.Repeat([]byte{0x1f, 0x20, 0x03, 0xd5}, 4)
	}
	segment := elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Off: idleOffset, Vaddr: idleOffset, Paddr: idleOffset,
		Filesz: uint64(len(code)), Memsz: uint64(len(code)), Align: 0x1000}
	var b bytes.Buffer
	binary.Write(&b, binary.LittleEndian, header) // cannot fail
	binary.Write(&b, binary.LittleEndian, segment)
	b.Write(make([]byte, idleOffset-b.Len()))
	b.Write(code)
	return b.Bytes()
}
