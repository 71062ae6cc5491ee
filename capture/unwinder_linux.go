package capture

import (
	"trapline/bpf"
	"trapline/capture/probe"
	"trapline/capture/unwind"
	"trapline/format"
)

// A stackUnwinder unwinds the stacks that the programs cannot walk, and writes
// the rules by which they can walk the next ones.
type stackUnwinder struct {
	images *images
	kernel *unwind.ORC // nil: kernel stacks are left to bpf_get_stack
	rules  *rules
	max    int // frames

	tables map[*image]*unwind.Image // nil: there is no unwind information
	done   []func()
	taught map[uint64]bool // kernel addresses with a rule
}

// maxTaught bounds the kernel addresses remembered; more are taught anew.
const maxTaught = 1 << 16

func newStackUnwinder(m *images, r *rules, orc *unwind.ORC, max int) *stackUnwinder {
	return &stackUnwinder{images: m, rules: r, kernel: orc, max: max,
		tables: make(map[*image]*unwind.Image), taught: make(map[uint64]bool)}
}

func (u *stackUnwinder) close() {
	for _, c := range u.done {
		c()
	}
}

// table returns an image's unwind information, nil if it has none.
func (u *stackUnwinder) table(img *image) *unwind.Image {
	t, ok := u.tables[img]
	if ok {
		return t
	}
	if img.kind == format.ImageELF || img.kind == format.ImageVDSO {
		if r, done := openImage(img); r != nil {
			if read, err := unwind.ReadImage(r); err == nil {
				t = read
				u.done = append(u.done, done)
			} else {
				done()
			}
		}
	}
	u.tables[img] = t
	return t
}

// A processFinder finds images by the mappings of one process. It implements unwind.Finder.
type processFinder struct {
	u     *stackUnwinder
	pid   uint32
	maps  []probe.Mapping
	found map[uint64]location // by address
	last  userFrame           // as the program found it
}

func (f *processFinder) Find(address uint64) (*unwind.Image, uint64, bool) {
	l, ok := f.found[address]
	if !ok {
		if l, ok = f.locate(address); !ok {
			return nil, 0, false
		}
		f.found[address] = l
	}
	if l.image == nil {
		return nil, 0, true
	}
	return f.u.table(l.image), l.offset, true
}

func (f *processFinder) locate(address uint64) (location, bool) {
	if address == f.last.address && f.last.known {
		return f.u.images.user(&stackEvent{pid: f.pid}, f.last)
	}
	return f.u.images.mapped(f.pid, f.maps, address)
}

// unwind implements unwinder.
func (u *stackUnwinder) unwind(r *rawEvent, memory []byte) ([]stackFrame, format.StackCut) {
	find := &processFinder{u: u, pid: r.pid, maps: u.images.mapsAt(r.pid, r.space), found: make(map[uint64]location), last: r.last}
	if !find.agrees() {
		// The process has begun another program since, or is gone without a trace.
		find.maps = nil
	}
	regs := registers(&r.regs)
	frames, cut := unwind.Unwind(regs, unwind.Memory{Base: regs.Value[unwind.RegSP], Bytes: memory}, find, u.max)
	out := make([]stackFrame, 0, len(frames))
	guessed := false
	for i := range frames {
		f := &frames[i]
		l, ok := find.found[f.Address]
		if !ok {
			if l, ok = find.locate(f.Address); !ok {
				cut = unwind.CutNoRule
				break
			}
		}
		s := stackFrame{location: l}
		if f.Return {
			s.flags = format.FrameReturn
		}
		if guessed {
			s.flags |= format.FrameGuessed
		}
		guessed = f.Guessed
		out = append(out, s)
		u.teach(l, f)
	}
	return out, stackCuts[cut]
}

// stackCuts are the capture's words for why unwinding ended.
var stackCuts = map[unwind.Cut]format.StackCut{
	unwind.CutNone: format.CutNone, unwind.CutDepth: format.CutDepth,
	unwind.CutUnreadable: format.CutUnreadable, unwind.CutNoRule: format.CutNoRule,
}

// agrees reports whether the mappings known now have at the last frame what the program found there.
func (f *processFinder) agrees() bool {
	if !f.last.known || f.last.inode == 0 {
		return true
	}
	l, ok := f.u.images.mapped(f.pid, f.maps, f.last.address)
	return ok && l.image != nil && l.offset == f.last.offset && l.image.inode == f.last.inode
}

// teach writes the rule of the place that a frame was found at.
func (u *stackUnwinder) teach(l location, f *unwind.Frame) {
	if l.image == nil || l.image.key == 0 || l.image.key&bpf.ImageAnonymous != 0 {
		return
	}
	offset := l.offset
	if f.Return {
		offset--
	}
	body := encodeRule(f.Rule)
	if f.Guessed || body == 0 {
		body = guessRule
	}
	u.rules.write(ruleKey(l.image.key, offset), body)
}

// teachKernel implements unwinder.
func (u *stackUnwinder) teachKernel(s *stackEvent) {
	if u.kernel == nil {
		return
	}
	if len(u.taught) > maxTaught {
		clear(u.taught)
	}
	interrupted := true // the first address may be one where a probe was hit
	for i := range s.count {
		address := s.address(i)
		if interrupted {
			u.teachKernelAt(address, s.again)
		}
		r := u.teachKernelAt(address-1, s.again)
		interrupted = r.Kind == unwind.RuleRegisters
	}
}

func (u *stackUnwinder) teachKernelAt(address uint64, again bool) unwind.Rule {
	r := u.kernel.Rule(address)
	if u.taught[address] && !again {
		return r
	}
	u.taught[address] = true
	body := encodeRule(r)
	if body == 0 {
		body = exactRule
	}
	u.rules.write(kernelRuleKey(address), body)
	return r
}

// registers are those of struct pt_regs (arch/x86/include/asm/ptrace.h) by their DWARF numbers.
func registers(regs *[21]uint64) *unwind.Registers {
	r := &unwind.Registers{Known: 1<<17 - 1}
	for i, n := range [...]int{
		0: 10, 1: 12, 2: 11, 3: 5, 4: 14, 5: 13, 6: 4, 7: 19, // rax rdx rcx rbx rsi rdi rbp rsp
		8: 9, 9: 8, 10: 7, 11: 6, 12: 3, 13: 2, 14: 1, 15: 0, 16: 16,
	} {
		r.Value[i] = regs[n]
	}
	return r
}
