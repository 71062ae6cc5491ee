package teach

import (
	"path/filepath"
	"strings"

	"github.com/cilium/ebpf"

	"trapline/bpf"
	"trapline/capture/images"
	"trapline/capture/ring"
	"trapline/capture/unwind"
	"trapline/format"
)

// A Teacher unwinds the stacks that BPF programs cannot walk and writes rules so that
// they can walk the next ones.
type Teacher struct {
	images *images.UserSpace
	tables unwindTables
	rules  ruleTable
	rows   *rowLoader     // nil if user stacks are not walked by rules
	kernel *kernelTeacher // nil if kernel stacks come from bpf_get_stack alone
}

// New returns a teacher. If users is set, user stacks are walked by rules; if orc is not
// nil, kernel stacks are.
func New(user *images.UserSpace, users bool, orc *unwind.ORC) *Teacher {
	t := &Teacher{images: user, tables: unwindTables{images: make(map[*images.Image]*unwind.Image)}}
	if users {
		t.rows = newRowLoader()
	}
	if orc != nil {
		t.kernel = &kernelTeacher{orc: orc, rules: &t.rules, taught: make(map[uint64]bool)}
	}
	return t
}

// Open attaches the teacher to maps of the programs: the rules, the rows, and the range
// of rows of each image.
func (t *Teacher) Open(rules, rows, imageRows *ebpf.Map) error {
	if err := t.rules.open(rules); err != nil {
		return err
	}
	if t.rows != nil {
		t.rows.start(rows, imageRows)
	}
	return nil
}

// Prepare queues the images of a process and the libraries that its program needs, so
// that their rules are loaded before the first hit.
func (t *Teacher) Prepare(pid uint32) {
	var wanted []*images.Image
	for _, p := range images.ProcessMaps(pid) {
		if !strings.Contains(p.Perm, "x") || p.Inode == 0 {
			continue
		}
		i := t.images.MappedFile(pid, p)
		wanted = append(wanted, i)
		for _, path := range neededLibraries(filepath.Join(i.Root, i.Path)) {
			wanted = append(wanted, t.images.OpenPath(pid, path))
		}
	}
	for _, i := range append(wanted, t.images.VDSO()) {
		if i != nil {
			t.want(i)
		}
	}
}

// Wait returns when the rules of all queued images are loaded.
func (t *Teacher) Wait() {
	if t.rows != nil {
		t.rows.wait()
	}
}

// Follow queues all mapped images and, later, each new one.
func (t *Teacher) Follow() {
	if t.rows != nil {
		t.images.Follow(t.want)
	}
}

// want queues an image, once.
func (t *Teacher) want(i *images.Image) {
	if i.Key != 0 && t.rows != nil && !t.rows.asked[i.Key] {
		t.rows.want(i.Key, t.tables.of(i))
	}
}

// Unwind unwinds a raw stack and writes the rule of each place on it.
func (t *Teacher) Unwind(r *ring.RawStack, memory []unwind.Memory) ([]images.Frame, format.StackCut) {
	find := newProcessFinder(t.images, r, func(i *images.Image) *unwind.Image {
		t.want(i)
		return t.tables.of(i)
	})
	frames, cut := unwind.Unwind(registers(&r.Registers), memory, find, bpf.MaxFrames, !r.Verify)
	out := make([]images.Frame, 0, len(frames))
	guessed := false
	for i := range frames {
		f := &frames[i]
		at := f.Address // of the executed instruction
		if f.Return {
			at--
		}
		l, ok := find.locate(at)
		if !ok { // nothing is mapped at the first address
			cut = unwind.CutNoRule
			break
		}
		t.teach(l, f)
		s := images.Frame{Location: l}
		if f.Return {
			s.Offset++
			if f.Rule.Kind != unwind.RuleSignal { // a signal handler has no caller
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

// stackCuts maps the reasons why unwinding ended to those of the capture format.
var stackCuts = map[unwind.Cut]format.StackCut{
	unwind.CutNone: format.CutNone, unwind.CutDepth: format.CutDepth,
	unwind.CutUnreadable: format.CutUnreadable, unwind.CutNoRule: format.CutNoRule,
}

// teach writes the rule of a frame's place.
func (t *Teacher) teach(at images.Location, f *unwind.Frame) {
	if at.Image == nil || at.Image.Key == 0 || at.Image.Key&bpf.ImageAnonymous != 0 {
		return
	}
	body := encodeRule(f.Rule)
	if f.Guessed && !f.Failed || body == 0 {
		body = guessRule
	}
	t.rules.write(ruleKey(at.Image.Key, at.Offset), body)
}

// TeachKernel writes the rules of the addresses on a kernel stack.
func (t *Teacher) TeachKernel(s *ring.Stack) {
	if t.kernel != nil {
		t.kernel.teach(s)
	}
}

// Rules returns the number of rules written and of rules that these replaced for lack of
// space.
func (t *Teacher) Rules() (written, evicted uint64) { return t.rules.written, t.rules.evicted }

// Close stops background work and releases all resources. It may be called at any time.
func (t *Teacher) Close() error {
	if t.rows != nil {
		t.rows.close()
	}
	t.tables.close()
	return t.rules.close()
}
