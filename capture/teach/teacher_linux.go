package teach

import (
	"path/filepath"
	"strings"

	"trapline/bpf"
	"trapline/capture/images"
	"trapline/capture/ring"
	"trapline/capture/unwind"
	"trapline/format"
)

// A Teacher unwinds the stacks that the programs cannot walk, and writes
// the rules by which they can walk the next ones.
type Teacher struct {
	images *images.UserSpace
	kernel *unwind.ORC // nil: kernel stacks are left to bpf_get_stack
	rules  *Table
	rows   *Rows

	tables map[*images.Image]*unwind.Image // nil: there is no unwind information
	done   []func()
	taught map[uint64]bool // kernel addresses with a rule
}

// maxTaught bounds the kernel addresses remembered; more are taught anew.
const maxTaught = 1 << 16

func NewTeacher(m *images.UserSpace, r *Table, rows *Rows, orc *unwind.ORC) *Teacher {
	return &Teacher{images: m, rules: r, rows: rows, kernel: orc,
		tables: make(map[*images.Image]*unwind.Image), taught: make(map[uint64]bool)}
}

func (u *Teacher) Close() {
	for _, c := range u.done {
		c()
	}
}

// table returns an image's unwind information, nil if it has none.
func (u *Teacher) table(img *images.Image) *unwind.Image {
	t, ok := u.tables[img]
	if ok {
		return t
	}
	if img.Kind == format.ImageELF || img.Kind == format.ImageVDSO {
		if r, done := images.Open(img); r != nil {
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

// A processFinder finds images by what a process had mapped when a stack was
// taken. It implements unwind.Finder.
type processFinder struct {
	u     *Teacher
	raw   *ring.RawStack
	found map[uint64]images.Location // by address; the offset is that of the address
}

func (f *processFinder) Find(address uint64) (*unwind.Image, uint64, bool) {
	l, ok := f.locate(address)
	if !ok || l.Image == nil {
		return nil, 0, ok
	}
	f.u.Want(l.Image)
	return f.u.table(l.Image), l.Offset, true
}

// Prepare has the rules of a process's images read, and of the libraries that its
// program needs, before the first hit.
func (u *Teacher) Prepare(pid uint32) {
	var wanted []*images.Image
	for _, p := range images.ProcessMaps(pid) {
		if !strings.Contains(p.Perm, "x") || p.Inode == 0 {
			continue
		}
		i := u.images.MappedFile(pid, p)
		wanted = append(wanted, i)
		for _, path := range neededLibraries(filepath.Join(i.Root, i.Path)) {
			wanted = append(wanted, u.images.OpenPath(pid, path))
		}
	}
	for _, i := range append(wanted, u.images.Vdso) {
		if i != nil {
			u.Want(i)
		}
	}
}

// Want has the rules of an image read in the background, if that was not done before.
func (u *Teacher) Want(i *images.Image) {
	if i.Key != 0 && !u.rows.asked[i.Key] {
		u.rows.want(i.Key, u.table(i))
	}
}

func (f *processFinder) locate(address uint64) (l images.Location, ok bool) {
	if l, ok = f.found[address]; ok {
		return l, true
	}
	last := &f.raw.Last // known for certain
	if off := last.Address - address; last.Known && off <= 1 {
		if l, ok = f.u.images.Find(&ring.Stack{PID: f.raw.PID, Space: f.raw.Space, Time: f.raw.Time}, *last); ok {
			l.Offset -= off
		}
	} else {
		l, ok = f.u.images.Locate(f.raw.PID, f.raw.Space, f.raw.Time, address)
	}
	if ok {
		f.found[address] = l
	}
	return l, ok
}

// Unwind implements unwinder.
func (u *Teacher) Unwind(r *ring.RawStack, memory []unwind.Memory) ([]images.Frame, format.StackCut) {
	find := &processFinder{u: u, raw: r, found: make(map[uint64]images.Location)}
	frames, cut := unwind.Unwind(registers(&r.Registers), memory, find, bpf.MaxFrames)
	out := make([]images.Frame, 0, len(frames))
	guessed := false
	for i := range frames {
		f := &frames[i]
		at := f.Address // of what the frame executes
		if f.Return {
			at--
		}
		l, ok := find.locate(at)
		if !ok { // nothing is mapped even at the first one
			cut = unwind.CutNoRule
			break
		}
		u.teach(l, f)
		s := images.Frame{Location: l}
		if f.Return {
			s.Offset++
			if f.Rule.Kind != unwind.RuleSignal { // which nothing has called
				s.Flags = format.FrameReturn
			}
		}
		if guessed {
			s.Flags |= format.FrameGuessed
		}
		guessed = f.Guessed
		out = append(out, s)
	}
	return out, stackCuts[cut]
}

// stackCuts are the capture's words for why unwinding ended.
var stackCuts = map[unwind.Cut]format.StackCut{
	unwind.CutNone: format.CutNone, unwind.CutDepth: format.CutDepth,
	unwind.CutUnreadable: format.CutUnreadable, unwind.CutNoRule: format.CutNoRule,
}

// teach writes the rule of the place that a frame was at.
func (u *Teacher) teach(at images.Location, f *unwind.Frame) {
	if at.Image == nil || at.Image.Key == 0 || at.Image.Key&bpf.ImageAnonymous != 0 {
		return
	}
	body := encodeRule(f.Rule)
	if f.Guessed || body == 0 {
		body = guessRule
	}
	u.rules.write(ruleKey(at.Image.Key, at.Offset), body)
}

// TeachKernel implements unwinder.
func (u *Teacher) TeachKernel(s *ring.Stack) {
	if u.kernel == nil {
		return
	}
	if len(u.taught) > maxTaught {
		clear(u.taught)
	}
	interrupted := true // the first address may be one where a probe was hit
	for i := range s.Count {
		address := s.Address(i)
		if interrupted {
			u.teachKernelAt(address, s.Again)
		}
		r := u.teachKernelAt(address-1, s.Again)
		interrupted = r.Kind == unwind.RuleRegisters
	}
}

func (u *Teacher) teachKernelAt(address uint64, again bool) unwind.Rule {
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
