package unwind

import (
	"bytes"
	"debug/elf"
	"io"
	"sync/atomic"
)

// Code that returns from a signal handler, sa_restorer: it sets rax to
// __NR_rt_sigreturn, 15, and enters the kernel. C libraries and Go's runtime do it
// with one of two encodings.
var restorerCode = [...][]byte{
	{0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05}, // mov $15, %rax; syscall
	{0xb8, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05},             // mov $15, %eax; syscall
}

const (
	maxRestorer    = 9 // bytes
	instructionRet = 0xc3
)

// A restorer is where such code is in a segment.
type restorer struct {
	start, end uint64
	afterRet   bool // a return instruction lies right before it
}

// restorers finds the restorers of a segment, reading a page of it when that is
// first asked for. Nearly all have none.
type restorers struct {
	r     io.ReaderAt
	off   uint64
	pages []atomic.Pointer[[]restorer]
}

// restorerPage is how much is searched at a time, in bytes.
const restorerPage = 16 << 10

// newRestorers returns nil for what is not executable.
func newRestorers(r io.ReaderAt, p *elf.ProgHeader) *restorers {
	if p.Flags&elf.PF_X == 0 {
		return nil
	}
	return &restorers{r: r, off: p.Off, pages: make([]atomic.Pointer[[]restorer], min(p.Filesz, maxSection)/restorerPage+1)}
}

// all returns the restorers of the segment.
func (s *restorers) all() (all []restorer) {
	if s == nil {
		return nil
	}
	for page := range s.pages {
		all = append(all, s.near(uint64(page))...)
	}
	return all
}

// near returns the restorers that lie in or right beside a page.
func (s *restorers) near(page uint64) []restorer {
	if s == nil || page >= uint64(len(s.pages)) {
		return nil
	}
	if found := s.pages[page].Load(); found != nil {
		return *found
	}
	// A restorer may end right before the page and start right behind it; the byte before it counts.
	start := page*restorerPage - min(page*restorerPage, maxRestorer+1)
	code := make([]byte, maxRestorer+1+restorerPage+maxRestorer)
	n, _ := s.r.ReadAt(code, int64(s.off+start))
	code = code[:max(n, 0)]
	var found []restorer
	for _, pattern := range restorerCode {
		for at := 0; ; {
			i := bytes.Index(code[at:], pattern)
			if i < 0 {
				break
			}
			at += i
			r := restorer{start: start + uint64(at), end: start + uint64(at+len(pattern))}
			r.afterRet = at > 0 && code[at-1] == instructionRet
			found = append(found, r)
			at += len(pattern)
		}
	}
	s.pages[page].Store(&found)
	return found
}

// returnsFromSignal reports whether an address belongs to code that returns from a
// signal handler. The code tells, whatever tables say: only some of them mark it,
// and the mark alone (augmentation S) does not promise the kernel's frame.
//
// The byte before it counts, too: the handler's return address is the first
// instruction, which nothing calls, and one asks for the byte before return
// addresses. What is there is padding or the end of a function that does not
// return; but a return is an instruction of its own. The address behind it counts,
// unless it is described as other code: the task is there while in the system call.
func (m *Image) returnsFromSignal(vaddr uint64, described bool) bool {
	p := m.segment(vaddr)
	if p == nil {
		return false
	}
	at := vaddr - p.Vaddr
	for _, r := range p.restorers.near(at / restorerPage) {
		switch {
		case at >= r.start && at < r.end:
			return true
		case at+1 == r.start:
			return !described || !r.afterRet
		case at == r.end:
			return !described
		}
	}
	return false
}
