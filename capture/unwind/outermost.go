package unwind

import (
	"bytes"
	"debug/elf"
)

// Only known outermost frames end a stack: the code at which the kernel enters a
// program, and the code in which C libraries start a thread. Tables are not trusted
// with that, since they say of any function that its caller cannot be found.

// outermost reports whether a frame has no caller. undefined says whether the unwind
// tables have an entry for it in which the return address is undefined.
func (m *Image) outermost(vaddr uint64, undefined bool) bool {
	return m.starts(vaddr, undefined) || m.startsThread(vaddr, undefined)
}

// Code from an image's entry point on that belongs to the outermost frame, in bytes.
// The entry code of C libraries takes 20 to 50.
const (
	entryCode          = 64
	entryCodeUndefined = 256 // if unwind tables say the same
)

// starts reports whether code is where the kernel starts the image.
func (m *Image) starts(vaddr uint64, undefined bool) bool {
	limit := uint64(entryCode)
	if undefined {
		limit = entryCodeUndefined
	}
	return m.file.Entry != 0 && vaddr-m.file.Entry < limit && m.isProgram()
}

// entersAt reports whether the kernel starts the image at an address. Tables that give this
// instruction a caller, such as Go's, take the number of arguments for a return address.
func (m *Image) entersAt(vaddr uint64) bool { return vaddr == m.file.Entry && m.starts(vaddr, false) }

// isProgram reports whether the kernel can start the image. Some linkers write an entry
// point into shared libraries, too, where it means nothing.
func (m *Image) isProgram() bool {
	if m.file.Type == elf.ET_EXEC {
		return true
	}
	for _, p := range m.file.Progs {
		if p.Type == elf.PT_INTERP {
			return true
		}
	}
	// A static PIE program or a dynamic linker
	var code [8]byte
	n := m.readCode(m.file.Entry, code[:])
	entry := bytes.TrimPrefix(code[:n], []byte{0xf3, 0x0f, 0x1e, 0xfa}) // endbr64
	for _, begin := range [...][]byte{
		{0x31, 0xed},       // xor %ebp, %ebp
		{0x48, 0x31, 0xed}, // xor %rbp, %rbp
		{0x48, 0x89, 0xe7}, // mov %rsp, %rdi
	} {
		if bytes.HasPrefix(entry, begin) {
			return true
		}
	}
	return false
}

// threadEnds is the code to which a thread's first function returns: it passes the result
// to the exit system call. The functions are glibc's clone and clone3 and musl's __clone.
var threadEnds = [...][]byte{
	{0x48, 0x89, 0xc7, 0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05},    // mov %rax, %rdi; mov $60, %eax; syscall
	{0x89, 0xc7, 0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05},          // mov %eax, %edi; mov $60, %eax; syscall
	{0x89, 0xc7, 0x31, 0xc0, 0xb0, 0x3c, 0x0f, 0x05},       // mov %eax, %edi; xor %eax, %eax; mov $60, %al; syscall
	{0x89, 0xc7, 0x31, 0xc0, 0x83, 0xc0, 0x3c, 0x0f, 0x05}, // … add $60, %eax; syscall
}

// childCode is the distance from where a new thread leaves the kernel to the call of its
// first function, at most, in bytes.
const childCode = 32

// startsThread reports whether code is where a C library starts a thread. Without a table
// that says so, only the call of the thread's first function counts and the place behind
// the exit system call: the code before may be that of any function.
func (m *Image) startsThread(vaddr uint64, undefined bool) bool {
	var code [2*childCode + 1]byte
	from := vaddr - childCode
	if p := m.segment(vaddr); p == nil || vaddr-p.Vaddr < childCode {
		return false
	}
	text := code[:m.readCode(from, code[:])]
	for _, end := range threadEnds {
		at := bytes.Index(text, end)
		if at < 0 {
			continue
		}
		if undefined || at == childCode+1 || at+len(end) == childCode {
			return true
		}
	}
	return false
}
