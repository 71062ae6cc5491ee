package unwind

import (
	"bytes"
	"debug/elf"
	"io"
	"sync/atomic"
)

// Encodings of sa_restorer, the code that returns from a signal handler: it sets rax to
// __NR_rt_sigreturn, 15, and enters the kernel. C libraries and Go's runtime use these two.
var restorerCode = [...][]byte{
	{0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05}, // mov $15, %rax; syscall
	{0xb8, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05},             // mov $15, %eax; syscall
}

const (
	maxRestorer    = 9 // bytes
	instructionRet = 0xc3
)

// A restorer is an occurrence of such code in a segment.
type restorer struct {
	start, end uint64
	afterRet   bool // a return instruction precedes it
}

// restorers finds the restorers of a segment, page by page on first use. Nearly all pages
// have none.
type restorers struct {
	r     io.ReaderAt
	off   uint64
	pages []atomic.Pointer[[]restorer]
}

// restorerPage is the number of bytes searched at a time.
const restorerPage = 16 << 10

// newRestorers returns nil for a segment that is not executable.
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

// near returns the restorers in or adjacent to a page.
func (s *restorers) near(page uint64) []restorer {
	if s == nil || page >= uint64(len(s.pages)) {
		return nil
	}
	if found := s.pages[page].Load(); found != nil {
		return *found
	}
	// A restorer may end just before the page or start just after it; the byte before a restorer counts.
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
