package unwind_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/arch/x86/x86asm"
	"golang.org/x/sys/unix"

	"trapline/internal/testenv"
)

// stepLimit is the time limit of each program, which takes 2 s on an idle machine.
const stepLimit = 10 * time.Second

// A Go program is executed instruction by instruction. Its calls and returns define its
// stack; walking by rules alone must find the same stack after every instruction,
// through all switches of stacks.
func TestGoStacksStepByStep(t *testing.T) {
	testenv.Slow(t)
	testenv.Tool(t, "gcc")
	goTool := testenv.Tool(t, "go")
	all := []string{"main.leaf", "main.deep", "runtime.systemstack", "runtime.morestack", "runtime.copystack", "runtime.nanotime1", "time.now", "[vdso]",
		"runtime.asmcgocall", "crosscall2", "runtime.cgocallback", "runtime.sigtramp", "runtime.sigpanic"}
	for _, build := range []struct {
		name    string
		flags   []string
		args    []string
		through []string
	}{
		{"stripped", []string{"-ldflags=-s -w"}, nil, all},
		{"pie", []string{"-buildmode=pie"}, nil, all},
		{"internally linked", []string{"-ldflags=-s -w -linkmode=internal"}, nil, all},
		{"preempted", nil, []string{"loop"}, []string{"runtime.sigtramp", "runtime.asyncPreempt", "runtime.asyncPreempt2", "runtime.mcall"}},
	} {
		t.Run(build.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "gostacks")
			cmd := exec.Command(goTool, append(append([]string{"build", "-o", path}, build.flags...), "./testdata/gostacks")...)
			cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			s := newStepper(t, path, build.args)
			finished := s.run(t)
			t.Logf("%d steps, %d of them where walks end early", s.steps, s.cut)
			if t.Failed() {
				return
			}
			if !finished {
				testenv.Unsupported(t, "a machine that executes single instructions faster")
			}
			missing := slices.DeleteFunc(slices.Clone(build.through), func(name string) bool { return s.seen[name] })
			if len(missing) > 0 {
				t.Errorf("the program did not execute %q", missing)
			}
		})
	}
}

// repetitive functions take most of the steps of growing a stack. After a few calls they
// run at full speed.
var repetitive = []string{"runtime.pcvalue", "runtime.(*unwinder).resolveInternal", "runtime.(*stkframe).getStackMap"}

// A stepper compares stacks found by walking with those defined by calls and returns.
type stepper struct {
	*tracee
	program  string          // name of the executable file
	calls    []uint64        // return addresses of calls that have not returned, outermost first
	injected map[uint64]bool // entries of functions that signal handlers inject
	preempt  bool            // the program loops until it is preempted
	seen     map[string]bool // functions executed
	called   map[string]int  // how often functions were called

	steps, cut, bad int
	inVDSO          int // consecutive steps in the vdso
	inMain          int // steps since preemption was requested
}

// newStepper starts a program and lets it run to main.stepFrom.
func newStepper(t *testing.T, path string, args []string) *stepper {
	t.Helper()
	// Symbols are bound at startup. Lazy binding returns to the resolved function instead
	// of the caller.
	env := []string{"LD_BIND_NOW=1", "GOMAXPROCS=1"}
	s := &stepper{tracee: startTracee(t, stepLimit+time.Second, path, args, env), program: filepath.Base(path), preempt: len(args) > 0, seen: make(map[string]bool), called: make(map[string]int)}
	s.injected = map[uint64]bool{s.entry(t, "runtime.sigpanic0"): true, s.entry(t, "runtime.asyncPreempt"): true}
	s.start(t, "main.stepFrom")
	s.calls = s.walk(t)
	slices.Reverse(s.calls)
	s.calls = s.calls[:len(s.calls)-1]
	var names []string
	for _, address := range s.calls {
		names = append(names, s.function(address-1))
	}
	if want := []string{"runtime.goexit", "runtime.main", "main.main"}; !slices.Equal(names, want) {
		t.Fatalf("main is called by %q, want %q", names, want)
	}
	return s
}

// run steps until the program panics or, if it should be preempted, continues after its
// preemption. It returns false if the time limit expired.
func (s *stepper) run(t *testing.T) (finished bool) {
	for deadline := time.Now().Add(stepLimit); s.bad < 10; s.steps++ {
		name := s.function(s.regs.Rip)
		s.seen[name] = true
		if name == "main.stepTo" || name == "runtime.gopanic" {
			return true
		}
		s.compare(t, name)
		inMain := strings.HasPrefix(name, "main.")
		if s.preempt && inMain && s.seen["runtime.asyncPreempt2"] {
			return true
		}
		// At some instructions the program cannot be preempted; then the next request
		// comes at another one.
		if s.inMain++; s.preempt && inMain && s.inMain > 20 && !s.seen["runtime.asyncPreempt"] {
			s.inMain = 0
			s.requestPreemption(t)
		}
		s.next(t, name)
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// compare walks the stack and reports an error if it is not the stack of the calls.
func (s *stepper) compare(t *testing.T, name string) {
	t.Helper()
	got, want := s.walk(t), append(slices.Clone(s.calls), s.regs.Rip)
	slices.Reverse(want)
	// Signal handlers inject calls of Go's panic or scheduler into the interrupted code.
	got = slices.DeleteFunc(got, func(address uint64) bool {
		return s.injected[address] && !slices.Contains(want, address)
	})
	// While the handler changes the context, neither stack is right.
	changing := name == "runtime.doSigPreempt" || name == "runtime.(*sigctxt).preparePanic"
	// Go's linker writes no unwind information for its stubs for shared libraries.
	linkage := name == s.program
	if changing || linkage || slices.Equal(got, want) {
		return
	}
	// Stacks cannot be walked beyond functions that switch goroutines or grow a stack:
	// Go's own tracebacks end there, too.
	switch s.function(got[len(got)-1] - 1) {
	case "runtime.morestack", "runtime.mcall", "gogo":
		if len(got) <= len(want) && slices.Equal(got, want[:len(got)]) {
			s.cut++
			return
		}
	}
	s.bad++
	t.Errorf("step %d:\n got %s\nwant %s", s.steps, s.describe(got), s.describe(want))
}

// next executes an instruction and updates calls.
func (s *stepper) next(t *testing.T, name string) {
	t.Helper()
	// The vdso retries if the kernel updates the time meanwhile. If a step takes as long
	// as a tick, it retries forever, so after some steps it runs at full speed.
	if s.inVDSO++; name != "[vdso]" {
		s.inVDSO = 0
	} else if s.inVDSO > 500 {
		s.finish(t)
		return
	}
	pc := s.regs.Rip
	inst, _ := s.instruction(pc)
	sigreturn := inst.Op == x86asm.SYSCALL && s.regs.Rax == unix.SYS_RT_SIGRETURN
	signal, err := s.step(t)
	n := len(s.calls) - 1
	switch {
	case err != nil:
		s.finish(t)
	case signal != 0:
		s.calls = append(s.calls, s.regs.Rip)
		s.deliver(t, signal)
		s.calls = append(s.calls, s.word(s.regs.Rsp))
	case sigreturn:
		if s.regs.Rip == s.calls[n] {
			s.calls = s.calls[:n]
		}
	case inst.Op == x86asm.CALL:
		s.calls = append(s.calls, pc+uint64(inst.Len))
		callee := s.function(s.regs.Rip)
		if s.called[callee]++; s.called[callee] > 3 && slices.Contains(repetitive, callee) {
			s.finish(t)
		}
	case inst.Op == x86asm.RET:
		if n < 0 || s.calls[n] != s.regs.Rip {
			t.Fatalf("%s returned to %s", s.describe([]uint64{pc}), s.describe([]uint64{s.regs.Rip}))
		}
		s.calls = s.calls[:n]
	case name == "gogo" && inst.Op == x86asm.JMP:
		// Continues the function that called morestack, or a preempted one.
		if n = slices.Index(s.calls, s.regs.Rip); n < 0 {
			t.Fatalf("gogo continued at %s", s.describe([]uint64{s.regs.Rip}))
		}
		s.calls = s.calls[:n]
	}
}

// finish runs the innermost call at full speed until it returns.
func (s *stepper) finish(t *testing.T) {
	t.Helper()
	n := len(s.calls) - 1
	if signal := s.runTo(t, 0, s.calls[n]); signal != 0 {
		t.Fatalf("signal %v in %s", signal, s.describe([]uint64{s.regs.Rip}))
	}
	s.calls = s.calls[:n]
}
