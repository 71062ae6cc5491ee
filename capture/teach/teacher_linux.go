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

// A Teacher unwinds the stacks that the programs cannot walk, and writes
// the rules by which they can walk the next ones.
type Teacher struct {
	images *images.UserSpace
	tables unwindTables
	rules  ruleTable
	rows   *rowLoader     // nil: user stacks are not walked by rules
	kernel *kernelTeacher // nil: kernel stacks are left to bpf_get_stack
}

// New returns a teacher that has taught nothing yet. With users, user stacks are walked
// by rules; with orc, kernel stacks are.
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

// Open begins to write into the maps of the programs: that of rules, of the rows of
// whole images, and of what rows are an image's.
func (t *Teacher) Open(rules, rows, imageRows *ebpf.Map) error {
	if err := t.rules.open(rules); err != nil {
		return err
	}
	if t.rows != nil {
		t.rows.start(rows, imageRows)
	}
	return nil
}

// Prepare has the rules of a process's images read, and of the libraries that its
// program needs, before the first hit.
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

// Wait returns when the rules of all images that were asked for are there.
func (t *Teacher) Wait() {
	if t.rows != nil {
		t.rows.wait()
	}
}

// Follow has the rules of all images read that are mapped now or will be.
func (t *Teacher) Follow() {
	if t.rows != nil {
		t.images.Follow(t.want)
	}
}

// want has the rules of an image read in the background, if that was not done before.
func (t *Teacher) want(i *images.Image) {
	if i.Key != 0 && t.rows != nil && !t.rows.asked[i.Key] {
		t.rows.want(i.Key, t.tables.of(i))
	}
}

// Unwind unwinds a raw stack, and writes the rules of the places that it goes through.
func (t *Teacher) Unwind(r *ring.RawStack, memory []unwind.Memory) ([]images.Frame, format.StackCut) {
	find := newProcessFinder(t.images, r, func(i *images.Image) *unwind.Image {
		t.want(i)
		return t.tables.of(i)
	})
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
		t.teach(l, f)
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
func (t *Teacher) teach(at images.Location, f *unwind.Frame) {
	if at.Image == nil || at.Image.Key == 0 || at.Image.Key&bpf.ImageAnonymous != 0 {
		return
	}
	body := encodeRule(f.Rule)
	if f.Guessed || body == 0 {
		body = guessRule
	}
	t.rules.write(ruleKey(at.Image.Key, at.Offset), body)
}

// TeachKernel writes the rules of the places on a kernel stack.
func (t *Teacher) TeachKernel(s *ring.Stack) {
	if t.kernel != nil {
		t.kernel.teach(s)
	}
}

// Rules returns how many rules were written, and how many had to make room for others.
func (t *Teacher) Rules() (written, evicted uint64) { return t.rules.written, t.rules.evicted }

// Close ends what works in the background and frees what is open. It may be called at
// any time after Open.
func (t *Teacher) Close() error {
	if t.rows != nil {
		t.rows.close()
	}
	t.tables.close()
	return t.rules.close()
}
