package unwind_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/arch/x86/x86asm"
	"golang.org/x/sys/unix"

	"trapline/capture/unwind"
	"trapline/internal/elffile"
	"trapline/internal/gotable"
	"trapline/internal/testenv"
)

// A Go program is stepped through, one instruction at a time. Calls and returns, seen
// one by one, say what its stack is; walking by rules alone must find the same after
// every instruction, through all switches of stacks.
func TestGoStacksStepByStep(t *testing.T) {
	testenv.Tool(t, "gcc")
	goTool := testenv.Tool(t, "go")
	all := []string{"main.leaf", "main.deep", "runtime.systemstack", "runtime.morestack", "runtime.copystack", "runtime.nanotime1", "time.now", "[vdso]",
		"runtime.asmcgocall", "crosscall2", "runtime.cgocallback", "runtime.sigtramp", "runtime.sigpanic"}
	for _, build := range []struct {
		name    string
		flags   []string
		args    []string
		least   int // steps, if it does not end before
		through []string
	}{
		{"stripped", []string{"-ldflags=-s -w"}, nil, 1 << 20, all},
		{"pie", []string{"-buildmode=pie"}, nil, 1 << 20, all},
		{"internally linked", []string{"-ldflags=-s -w -linkmode=internal"}, nil, 1 << 20, all},
		{"preempted", nil, []string{"loop"}, 20_000, []string{"runtime.sigtramp", "runtime.asyncPreempt", "runtime.asyncPreempt2", "runtime.mcall"}},
	} {
		t.Run(build.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "gostacks")
			cmd := exec.Command(goTool, append(append([]string{"build", "-o", path}, build.flags...), "./testdata/gostacks")...)
			cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			seen := map[string]bool{}
			missing := func() (names []string) {
				return slices.DeleteFunc(slices.Clone(build.through), func(name string) bool { return seen[name] })
			}
			stepThrough(t, path, build.args, seen, func(steps int) bool {
				// Preemption waits for its time, and may find the program where it cannot be interrupted.
				return steps >= build.least && (steps >= 1<<20 || len(missing()) == 0)
			})
			if names := missing(); len(names) > 0 {
				t.Errorf("the program did not come through %q", names)
			}
		})
	}
}

// stepThrough notes in seen the functions that the program comes through, to its end or until enough.
func stepThrough(t *testing.T, path string, args []string, seen map[string]bool, enough func(steps int) bool) {
	runtime.LockOSThread() // the kernel obeys only the thread that traces
	defer runtime.UnlockOSThread()
	p := startTraced(t, path, args)
	p.runTo(t, "main.stepFrom")

	// Calls that have not returned: their return addresses, outermost first.
	var calls []uint64
	for _, address := range p.walk(t) {
		calls = append([]uint64{address}, calls...)
	}
	calls = calls[:len(calls)-1]
	var names []string
	for _, address := range calls {
		names = append(names, p.function(address-1))
	}
	if want := []string{"runtime.goexit", "runtime.main", "main.main"}; !slices.Equal(names, want) {
		t.Fatalf("main is called by %q, want %q", names, want)
	}

	// Go asks for preemption every 10 ms, and its handler takes longer under a tracer: the
	// program gets its next request only once it has made some steps of its own.
	requested, requests, own := false, 0, 0
	steps, cut, bad, clock := 0, 0, 0, 0
	for ; bad < 10 && !enough(steps); steps++ {
		pc := p.regs.Rip
		name := p.function(pc)
		seen[name] = true
		// The vdso reads the time again if the kernel has changed it meanwhile: for ever,
		// where a step takes as long as a tick. It is let go on by itself then.
		if clock++; name != "[vdso]" {
			clock = 0
		} else if clock > 500 {
			p.runToAddress(t, uintptr(calls[len(calls)-1]))
			calls, clock = calls[:len(calls)-1], 0
			continue
		}
		if name == "main.stepTo" || name == "runtime.gopanic" {
			break
		}
		got := p.walk(t)
		want := []uint64{pc}
		for i := len(calls) - 1; i >= 0; i-- {
			want = append(want, calls[i])
		}
		// The handler makes the interrupted code call something: Go's panic, or its scheduler.
		got = slices.DeleteFunc(got, func(address uint64) bool {
			return p.injected[address] && !slices.Contains(want, address)
		})
		// In between, the context that it changes is neither the one nor the other.
		changing := name == "runtime.doSigPreempt" || name == "runtime.(*sigctxt).preparePanic"
		// Go's linker says nothing of the jumps to shared libraries that it makes.
		linkage := name == filepath.Base(path)
		if !changing && !linkage && !slices.Equal(got, want) {
			// Growing a stack starts anew, and so does going on with a goroutine: Go's
			// own tracebacks end there, too.
			last := len(got) - 1
			if ends := p.function(got[last] - 1); (ends == "runtime.morestack" || ends == "runtime.mcall" || ends == "gogo") && slices.Equal(got, want[:len(got)]) {
				cut++
			} else {
				bad++
				t.Errorf("step %d:\n got %s\nwant %s", steps, p.describe(got), p.describe(want))
			}
		}
		if strings.HasPrefix(name, "main.") {
			own++
		}
		if requested && own > 20+requests && !seen["runtime.asyncPreempt"] {
			calls = append(calls, pc)
			p.deliver(t, unix.SIGURG)
			calls = append(calls, p.word(p.regs.Rsp))
			requested, requests, own = false, requests+1, 0
			continue
		}
		inst := p.instruction(pc)
		returns := inst.Op == x86asm.SYSCALL && p.regs.Rax == unix.SYS_RT_SIGRETURN
		signal := p.step(t)
		switch {
		case signal == unix.SIGURG:
			requested = true
		case signal != 0:
			calls = append(calls, p.regs.Rip)
			p.deliver(t, signal)
			calls = append(calls, p.word(p.regs.Rsp))
		case returns:
			if n := len(calls) - 1; p.regs.Rip == calls[n] {
				calls = calls[:n]
			}
		case inst.Op == x86asm.CALL:
			calls = append(calls, pc+uint64(inst.Len))
		case inst.Op == x86asm.RET:
			if n := len(calls) - 1; n < 0 || calls[n] != p.regs.Rip {
				t.Fatalf("%s returned to %s", p.describe([]uint64{pc}), p.describe([]uint64{p.regs.Rip}))
			}
			calls = calls[:len(calls)-1]
		case name == "gogo" && inst.Op == x86asm.JMP:
			// Back to the function whose call of morestack made the stack grow.
			n := slices.Index(calls, p.regs.Rip)
			if n < 0 {
				t.Fatalf("went on at %s", p.describe([]uint64{p.regs.Rip}))
			}
			calls = calls[:n]
		}
	}
	t.Logf("%d steps, %d of them in what cannot be left", steps, cut)
}

// A traced is a process under ptrace, stopped.
type traced struct {
	pid      int
	regs     unix.PtraceRegs
	mem      *os.File
	mappings []tracedMapping
	images   map[string]*unwind.Image
	table    *gotable.Table
	bias     uint64          // of addresses from those in the program's file
	injected map[uint64]bool // functions that signal handlers go on with
}

type tracedMapping struct {
	start, end, offset uint64
	path               string
	code               bool
}

func startTraced(t *testing.T, path string, args []string) *traced {
	t.Helper()
	cmd := exec.Command(path, args...)
	// Bound at once, since the dynamic linker's jumps to what it found are no returns.
	cmd.Env = append(os.Environ(), "LD_BIND_NOW=1", "GOMAXPROCS=1")
	if len(args) == 0 {
		// Whoever runs for 10 ms is preempted. With that done by signals, the program
		// would not come to its end.
		cmd.Env = append(cmd.Env, "GODEBUG=asyncpreemptoff=1")
	}
	cmd.SysProcAttr = &unix.SysProcAttr{Ptrace: true, Pdeathsig: unix.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &traced{pid: cmd.Process.Pid, images: make(map[string]*unwind.Image)}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	p.wait(t)
	var err error
	if p.mem, err = os.Open(fmt.Sprintf("/proc/%d/mem", p.pid)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.mem.Close() })
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	e, err := elffile.Open(f)
	if err != nil {
		t.Fatal(err)
	}
	if p.table = gotable.Open(e); p.table == nil {
		t.Fatalf("%s has no table of functions", path)
	}
	p.readMappings(t)
	for _, m := range p.mappings {
		if m.path == path && m.offset == 0 {
			p.bias = m.start - e.Progs[firstLoad(e)].Vaddr
		}
	}
	p.injected = map[uint64]bool{p.entry(t, "runtime.sigpanic0"): true, p.entry(t, "runtime.asyncPreempt"): true}
	return p
}

func firstLoad(e *elffile.File) int {
	return slices.IndexFunc(e.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_LOAD })
}

// wait waits for the next stop and returns the signal that caused it, 0 for a trap.
func (p *traced) wait(t *testing.T) unix.Signal {
	t.Helper()
	var status unix.WaitStatus
	if _, err := unix.Wait4(p.pid, &status, unix.WALL, nil); err != nil {
		t.Fatal(err)
	}
	if !status.Stopped() {
		t.Fatalf("the program ended: %#x", int(status))
	}
	if err := unix.PtraceGetRegs(p.pid, &p.regs); err != nil {
		t.Fatal(err)
	}
	if status.StopSignal() == unix.SIGTRAP {
		return 0
	}
	return status.StopSignal()
}

func (p *traced) step(t *testing.T) unix.Signal {
	t.Helper()
	if err := unix.PtraceSingleStep(p.pid); err != nil {
		t.Fatal(err)
	}
	return p.wait(t)
}

// deliver lets the kernel call the handler of a signal, and stops there.
func (p *traced) deliver(t *testing.T, signal unix.Signal) {
	t.Helper()
	if _, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_SINGLESTEP, uintptr(p.pid), 0, uintptr(signal), 0, 0); errno != 0 {
		t.Fatal(errno)
	}
	if next := p.wait(t); next != 0 {
		t.Fatalf("signal %v before the handler of %v", next, signal)
	}
}

// entry returns the address of a function of Go.
func (p *traced) entry(t *testing.T, function string) uint64 {
	t.Helper()
	for i := range p.table.Len() {
		if f, ok := p.table.Function(i); ok && p.table.Name(f.NameOff) == function {
			return f.Entry + p.bias
		}
	}
	t.Fatalf("there is no %s", function)
	return 0
}

// runTo lets the program run to the entry of a function.
func (p *traced) runTo(t *testing.T, function string) {
	t.Helper()
	p.runToAddress(t, uintptr(p.entry(t, function)))
	p.readMappings(t)
}

func (p *traced) runToAddress(t *testing.T, at uintptr) {
	t.Helper()
	var saved [1]byte
	if _, err := unix.PtracePeekText(p.pid, at, saved[:]); err != nil {
		t.Fatalf("at %#x: %v", at, err)
	}
	if _, err := unix.PtracePokeText(p.pid, at, []byte{0xcc}); err != nil {
		t.Fatal(err)
	}
	signal := unix.Signal(0)
	for {
		if err := unix.PtraceCont(p.pid, int(signal)); err != nil {
			t.Fatal(err)
		}
		if signal = p.wait(t); signal == 0 && p.regs.Rip == uint64(at)+1 {
			break
		}
	}
	if _, err := unix.PtracePokeText(p.pid, at, saved[:]); err != nil {
		t.Fatal(err)
	}
	p.regs.Rip--
	if err := unix.PtraceSetRegs(p.pid, &p.regs); err != nil {
		t.Fatal(err)
	}
}

func (p *traced) readMappings(t *testing.T) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", p.pid))
	if err != nil {
		t.Fatal(err)
	}
	p.mappings = nil
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		var m tracedMapping
		var perms, device string
		var inode int
		fmt.Sscanf(line, "%x-%x %s %x %s %d %s", &m.start, &m.end, &perms, &m.offset, &device, &inode, &m.path)
		m.code = strings.Contains(perms, "x")
		p.mappings = append(p.mappings, m)
	}
}

func (p *traced) mapping(address uint64) *tracedMapping {
	for i := range p.mappings {
		if m := &p.mappings[i]; address >= m.start && address < m.end && m.code {
			return m
		}
	}
	return nil
}

func (p *traced) rule(t *testing.T, address uint64) unwind.Rule {
	m := p.mapping(address)
	if m == nil {
		return unwind.Rule{}
	}
	if p.images[m.path] == nil {
		var b []byte
		var err error
		if m.path == "[vdso]" {
			b = make([]byte, m.end-m.start)
			_, err = p.mem.ReadAt(b, int64(m.start))
		} else {
			b, err = os.ReadFile(m.path)
		}
		if err == nil {
			p.images[m.path], err = unwind.ReadImage(bytes.NewReader(b))
		}
		if err != nil {
			t.Fatalf("%s: %v", m.path, err)
		}
	}
	return p.images[m.path].Rule(address - m.start + m.offset)
}

func (p *traced) word(address uint64) uint64 {
	var b [8]byte
	p.mem.ReadAt(b[:], int64(address))
	return binary.LittleEndian.Uint64(b[:])
}

// walk goes from the registers to the outermost frame by rules alone, as programs in
// the kernel do.
func (p *traced) walk(t *testing.T) (addresses []uint64) {
	r := &p.regs
	pc, sp, fp, back := r.Rip, r.Rsp, r.Rbp, uint64(0)
	for len(addresses) < 200 {
		addresses = append(addresses, pc)
		rule := p.rule(t, pc-back)
		base := [...]uint64{unwind.RegFP: fp, unwind.RegSP: sp, 3: r.Rbx, 10: r.R10, 12: r.R12, 13: r.R13, 16: 0}[rule.Base]
		cfa := base + uint64(int64(rule.CFA))
		switch rule.Kind {
		case unwind.RuleStep:
			if rule.Deref {
				cfa = p.word(cfa)
			}
			if rule.BehindWord {
				cfa += 8
			}
		case unwind.RuleLinkRegister:
			if len(addresses) > 1 {
				return addresses
			}
			pc, sp, back = base, sp+uint64(int64(rule.CFA)), 1
			continue
		case unwind.RuleSignal:
			// struct ucontext's registers: arch/x86/include/uapi/asm/sigcontext.h
			pc, fp, back = p.word(sp+168), p.word(sp+120), 0
			sp = p.word(sp + 160)
			continue
		case unwind.RuleGoAsmcgocall:
			depth, g := p.word(sp+uint64(int64(rule.CFA))), p.word(sp+uint64(int64(rule.CFA))+8)
			cfa = p.word(g+8) - depth + 16
			rule.SavesFP, rule.FP = true, -16
		default:
			return addresses
		}
		if cfa <= sp && !rule.Switch && rule.Kind == unwind.RuleStep {
			return addresses
		}
		if rule.SavesFP {
			at := cfa
			if rule.FPFromFP {
				at = fp
			}
			fp = p.word(at + uint64(int64(rule.FP)))
		}
		pc, sp, back = p.word(cfa-8), cfa, 1
		if rule.Interrupted {
			back = 0
		}
	}
	return addresses
}

// function returns the name of a function of Go, or else of the image.
func (p *traced) function(address uint64) string {
	if i := p.table.Find(address - p.bias); i >= 0 {
		if f, ok := p.table.Function(i); ok {
			return p.table.Name(f.NameOff)
		}
	}
	if m := p.mapping(address); m != nil {
		return filepath.Base(m.path)
	}
	return "?"
}

func (p *traced) describe(addresses []uint64) string {
	var b strings.Builder
	for _, address := range addresses {
		fmt.Fprintf(&b, " %s(%#x)", p.function(address), address-p.bias)
	}
	return b.String()
}

// instruction decodes an instruction; what is not known is neither call nor return.
func (p *traced) instruction(address uint64) x86asm.Inst {
	var code [16]byte
	n, _ := p.mem.ReadAt(code[:], int64(address))
	inst, _ := x86asm.Decode(code[:n], 64)
	return inst
}
