package unwind

import "bytes"

// Code that returns from a signal handler, sa_restorer: it sets rax to
// __NR_rt_sigreturn, 15, and enters the kernel. C libraries and Go's runtime do it
// with one of two encodings.
var restorers = [...][]byte{
	{0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05}, // mov $15, %rax; syscall
	{0xb8, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05},             // mov $15, %eax; syscall
}

const (
	syscallSize    = 2 // bytes of the syscall instruction
	maxRestorer    = 9
	instructionRet = 0xc3
)

// returnsFromSignal reports whether an address belongs to code that returns from a
// signal handler. The code tells, whatever tables say: only some of them mark it,
// and the mark alone (augmentation S) does not promise the kernel's frame.
//
// The byte before it counts, too: the handler's return address is the first
// instruction, which nothing calls. So does the address behind it, at which the
// task is while in the system call. Where described, these may belong to other code.
func (m *Image) returnsFromSignal(vaddr uint64, described bool) bool {
	seg := m.segment(vaddr)
	if seg == nil {
		return false
	}
	// One byte before the address is needed at least, maxRestorer at most.
	before := min(vaddr-seg.Vaddr, maxRestorer)
	var room [2*maxRestorer + 1]byte
	n, _ := m.file.R.ReadAt(room[:before+maxRestorer+1], int64(seg.Off+vaddr-seg.Vaddr-before))
	code := room[:n]
	at := int(before)
	if at >= len(code) {
		return false
	}
	for _, restorer := range restorers {
		switch {
		case bytes.HasPrefix(code[at:], restorer):
			return true
		case bytes.HasPrefix(code[at+1:], restorer):
			// Padding, or the end of a function that does not return: but a return
			// is an instruction of its own.
			return !described || code[at] != instructionRet
		case at >= len(restorer)-syscallSize && bytes.HasPrefix(code[at+syscallSize-len(restorer):], restorer):
			return true
		case at >= len(restorer) && bytes.HasPrefix(code[at-len(restorer):], restorer):
			return !described
		}
	}
	return false
}
