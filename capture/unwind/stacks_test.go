package unwind_test

import (
	"bufio"
	"bytes"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"trapline/capture/unwind"
	"trapline/internal/testenv"
)

// A knownStack is a stack that testdata/stacks.c wrote, with the callers that it
// kept a record of.
type knownStack struct {
	name    string
	regs    unwind.Registers
	memory  unwind.Memory
	callers []knownCaller // innermost first
}

type knownCaller struct {
	address uint64
	exact   bool // no return address: a signal interrupted the program there
}

// Frames that the program has no record of, for it cannot have: in assembly, in
// generated code, in libc (-1: any number of them).
var unrecorded = map[string]int{
	"signal at first instruction": 1,
	"in registers":                1,
	"saved stack pointer":         1,
	"from rbx":                    1,
	"generated code":              1,
	"callback":                    -1,
}

// Every stack of a program that knows its own must be unwound exactly as it says,
// to the program's entry point or the thread's start, however it was compiled.
func TestUnwindKnownStacks(t *testing.T) {
	for _, cc := range []string{"gcc", "clang-19"} {
		testenv.Tool(t, cc)
		for _, level := range []string{"-O0", "-O1", "-O2", "-O3"} {
			for _, fp := range []string{"-fomit-frame-pointer", "-fno-omit-frame-pointer"} {
				t.Run(cc+level+fp, func(t *testing.T) {
					t.Parallel()
					checkStacks(t, runStacks(t, compileStacks(t, cc, level, fp)))
				})
			}
		}
	}
	for _, flags := range [][]string{
		{"gcc", "-O2", "-static"},
		{"gcc", "-O2", "-no-pie", "-s"},
		{"gcc", "-O2", "-g", "-fno-asynchronous-unwind-tables"},        // .debug_frame only
		{"gcc", "-O2", "-g", "-gz", "-fno-asynchronous-unwind-tables"}, // compressed
		{"clang-19", "-O2", "-gdwarf-5", "-gdwarf64", "-fno-asynchronous-unwind-tables"},
		{"gcc", "-O2", "-Wl,--no-eh-frame-hdr", "-static"}, // no sorted table
	} {
		t.Run(strings.Join(flags, ""), func(t *testing.T) {
			t.Parallel()
			checkStacks(t, runStacks(t, compileStacks(t, flags[0], flags[1:]...)))
		})
	}
}

// inexpressible are the stacks with a frame that no Rule can express.
var inexpressible = map[string]bool{"in registers": true, "from rbx": true}

// walkByRules walks a stack by what Rule promises, with the stack pointer and the
// frame pointer only, as long as the frames' rules express how.
func walkByRules(s *knownStack, frames []unwind.Frame) (pcs []uint64, expressed bool) {
	word := func(at uint64) uint64 {
		if at -= s.memory.Base; at <= uint64(len(s.memory.Bytes)-8) {
			return binary.LittleEndian.Uint64(s.memory.Bytes[at:])
		}
		return 0
	}
	pc, sp, fp := s.regs.Value[unwind.RegIP], s.regs.Value[unwind.RegSP], s.regs.Value[unwind.RegFP]
	for i := range frames {
		pcs = append(pcs, pc)
		rule := frames[i].Rule
		switch rule.Kind {
		case unwind.RuleEnd:
			return pcs, true
		case unwind.RuleSignal: // rbp, rsp and rip in struct sigcontext
			pc, fp, sp = word(sp+40+128), word(sp+40+80), word(sp+40+120)
			continue
		case unwind.RuleStep:
		default:
			return pcs, false
		}
		var cfa uint64
		switch {
		case rule.Base == unwind.RegSP:
			cfa = sp
		case rule.Base == unwind.RegFP:
			cfa = fp
		case i == 0:
			cfa = s.regs.Value[rule.Base]
		default:
			return pcs, false
		}
		cfa += uint64(rule.CFA)
		if rule.Deref {
			cfa = word(cfa)
		}
		if rule.BehindWord {
			cfa += 8
		}
		switch {
		case rule.SavesFP && rule.FPFromFP:
			fp = word(fp + uint64(rule.FP))
		case rule.SavesFP:
			fp = word(cfa + uint64(rule.FP))
		}
		pc, sp = word(cfa-8), cfa
	}
	return pcs, false
}

// compileStacks builds testdata/stacks.c.
func compileStacks(t testing.TB, cc string, flags ...string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "stacks")
	args := append([]string{"-w", "-pthread", "-o", path, filepath.Join("testdata", "stacks.c")}, flags...)
	if out, err := exec.Command(testenv.Tool(t, cc), args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", cc, args, err, out)
	}
	return path
}

// A stacksRun is what one run of the program wrote.
type stacksRun struct {
	stacks []knownStack
	maps   processMaps
	path   string
}

func runStacks(t testing.TB, path string) *stacksRun {
	t.Helper()
	out, err := exec.Command(path).Output()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	run := &stacksRun{path: path, maps: processMaps{images: map[string]*unwind.Image{}}}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		kind, rest, _ := strings.Cut(lines.Text(), " ")
		if kind == "hit" {
			run.stacks = append(run.stacks, knownStack{name: rest})
		}
		stack := &run.stacks[len(run.stacks)-1]
		fields := strings.Fields(rest)
		switch kind {
		case "registers":
			for i, f := range fields {
				stack.regs.Value[i] = parseHex(t, f)
				stack.regs.Known |= 1 << i
			}
		case "callers":
			for _, f := range fields {
				stack.callers = append(stack.callers, knownCaller{parseHex(t, f[1:]), f[0] == 'e'})
			}
		case "stack":
			stack.memory.Base = parseHex(t, fields[0])
			if stack.memory.Bytes, err = hex.DecodeString(fields[1]); err != nil {
				t.Fatal(err)
			}
		case "map":
			run.maps.add(t, fields)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if len(run.stacks) != 23 || len(run.maps.code) == 0 {
		t.Fatalf("%s wrote %d stacks, want 23, and %d mappings", path, len(run.stacks), len(run.maps.code))
	}
	return run
}

func checkStacks(t *testing.T, run *stacksRun) {
	t.Helper()
	for i := range run.stacks {
		stack := &run.stacks[i]
		frames, cut := unwind.Unwind(&stack.regs, []unwind.Memory{stack.memory}, &run.maps, 200, false)
		if err := stack.check(frames, cut, &run.maps); err != nil {
			t.Errorf("%s: %v\n%v\nwant %+v", stack.name, err, describe(frames), stack.callers)
		}
		walked, expressed := walkByRules(stack, frames)
		if !expressed && !inexpressible[stack.name] || !slices.EqualFunc(walked, frames[:len(walked)], func(pc uint64, f unwind.Frame) bool { return pc == f.Address }) {
			t.Errorf("%s: by rules alone: %#x\n%v", stack.name, walked, describe(frames))
		}
	}
}

// check compares an unwound stack with what the program knows.
func (s *knownStack) check(frames []unwind.Frame, cut unwind.Cut, maps *processMaps) error {
	if cut != unwind.CutNone {
		return fmt.Errorf("cut %d", cut)
	}
	if len(frames) == 0 || frames[0].Address != s.regs.Value[unwind.RegIP] || frames[0].Return {
		return fmt.Errorf("the innermost frame is not that of the registers")
	}
	// Every recorded caller must be there, in its place.
	at, extra := 1, 0
	for _, c := range s.callers {
		for at < len(frames) && frames[at].Address != c.address {
			at++
			extra++
		}
		if at == len(frames) {
			return fmt.Errorf("%#x is missing", c.address)
		}
		if frames[at].Return == c.exact {
			return fmt.Errorf("%#x is taken for the wrong kind of address", c.address)
		}
		at++
	}
	if want := unrecorded[s.name]; want >= 0 && extra != want {
		return fmt.Errorf("%d frames more than there are", extra-want)
	}
	// Behind main's caller, in libc, there is one more function of it, and _start;
	// behind the thread's, what the kernel started.
	want := 2
	if s.name == "thread" {
		want = 1
	}
	if len(frames)-at != want {
		return fmt.Errorf("%d frames behind the first function's caller, want %d", len(frames)-at, want)
	}
	last := frames[len(frames)-1]
	if last.Rule.Kind != unwind.RuleEnd {
		return fmt.Errorf("the outermost frame's rule is %+v", last.Rule)
	}
	for _, f := range frames {
		if f.Guessed != (f.Image == nil) {
			return fmt.Errorf("%#x: guessed is %t, in %v", f.Address, f.Guessed, maps.name(f.Address))
		}
		back := uint64(0)
		if f.Return {
			back = 1
		}
		if f.Image != nil && f.Image.Rule(f.Offset-back) != f.Rule {
			return fmt.Errorf("%#x: the frame's rule is not that of its image", f.Address)
		}
	}
	return nil
}

// Programs are at one of the instructions of a lazy PLT entry at first calls. GNU's
// linker describes them by expressions, LLVM's not at all.
func TestUnwindFromPLT(t *testing.T) {
	t.Run("described", func(t *testing.T) { checkPLT(t, "-z", "lazy") })
	t.Run("not described", func(t *testing.T) { checkPLT(t, "-z", "lazy", "--no-ld-generated-unwind-info") })
}

func checkPLT(t *testing.T, linking ...string) {
	run := runStacks(t, compileStacks(t, "gcc", "-O2", "-fcf-protection=none", "-Wl,"+strings.Join(linking, ",")))
	f, err := elf.Open(run.path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	plt := f.Section(".plt")
	if plt == nil {
		t.Fatal("no .plt")
	}
	// Where in .plt, and how many words its code has pushed by then.
	for at, pushed := range map[uint64]uint64{0: 1, 6: 2, 16: 0, 22: 0, 27: 1, 32: 0, 43: 1} {
		stack := run.stacks[0]
		pc, ok := run.maps.address(run.path, plt.Offset+at)
		if !ok {
			t.Fatal(".plt is not mapped")
		}
		stack.regs.Value[unwind.RegIP] = pc
		stack.regs.Value[unwind.RegSP] -= 8 * pushed
		frames, cut := unwind.Unwind(&stack.regs, []unwind.Memory{stack.memory}, &run.maps, 200, false)
		if err := stack.check(frames, cut, &run.maps); err != nil {
			t.Errorf(".plt+%d: %v\n%v", at, err, describe(frames))
		} else if frames[0].Rule.Kind != unwind.RuleStep {
			t.Errorf(".plt+%d: the rule is %+v", at, frames[0].Rule)
		}
	}
}

// An image may be stripped of its section headers, and its debug file may be apart.
func TestImagesInPieces(t *testing.T) {
	objcopy := testenv.Tool(t, "objcopy")
	path := compileStacks(t, "gcc", "-O2", "-g", "-fno-asynchronous-unwind-tables")
	run := runStacks(t, path)
	file := func(args ...string) *os.File {
		t.Helper()
		out := filepath.Join(t.TempDir(), "out")
		if msg, err := exec.Command(objcopy, append(args, path, out)...).CombinedOutput(); err != nil {
			t.Fatalf("objcopy %v: %v\n%s", args, err, msg)
		}
		f, err := os.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	image, err := unwind.ReadImage(file("--strip-debug"), file("--only-keep-debug"))
	if err != nil {
		t.Fatal(err)
	}
	run.maps.images[path] = image
	checkStacks(t, run)

	run = runStacks(t, compileStacks(t, "gcc", "-O2"))
	b, err := os.ReadFile(run.path)
	if err != nil {
		t.Fatal(err)
	}
	for _, headers := range []byte{0, 0xff} { // none, and some far beyond the end
		copy(b[40:48], bytes.Repeat([]byte{headers}, 7))
		if image, err = unwind.ReadImage(bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
		run.maps.images[run.path] = image
		checkStacks(t, run)
	}
}

// processMaps finds images by the mappings of a process.
type processMaps struct {
	code   []mapping
	images map[string]*unwind.Image
}

type mapping struct {
	low, high, offset uint64
	path              string
}

func (m *processMaps) add(t testing.TB, fields []string) {
	t.Helper()
	if !strings.Contains(fields[1], "x") {
		return
	}
	low, high, _ := strings.Cut(fields[0], "-")
	mapped := mapping{low: parseHex(t, low), high: parseHex(t, high), offset: parseHex(t, fields[2])}
	if len(fields) > 5 && strings.HasPrefix(fields[5], "/") {
		mapped.path = fields[5]
		if m.images[mapped.path] == nil {
			m.images[mapped.path], _ = openImage(t, mapped.path)
		}
	}
	m.code = append(m.code, mapped)
}

// Find implements unwind.Finder.
func (m *processMaps) Find(address uint64) (*unwind.Image, uint64, bool) {
	for _, c := range m.code {
		if address >= c.low && address < c.high {
			return m.images[c.path], address - c.low + c.offset, true
		}
	}
	return nil, 0, false
}

func (m *processMaps) address(path string, offset uint64) (uint64, bool) {
	for _, c := range m.code {
		if c.path == path && offset >= c.offset && offset-c.offset < c.high-c.low {
			return c.low + offset - c.offset, true
		}
	}
	return 0, false
}

func (m *processMaps) name(address uint64) string {
	for _, c := range m.code {
		if address >= c.low && address < c.high {
			return c.path
		}
	}
	return "nothing"
}

func describe(frames []unwind.Frame) string {
	var b strings.Builder
	for _, f := range frames {
		fmt.Fprintf(&b, "%#x %+v return %t guessed %t\n", f.Address, f.Rule, f.Return, f.Guessed)
	}
	return b.String()
}

func parseHex(t testing.TB, s string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(s, 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
