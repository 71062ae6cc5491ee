//go:build linux

package e2e

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"trapline/internal/testenv"
)

// The callers of main. libc's internal functions have names only if its debug file is
// installed.
const (
	dynamicTail = "__libc_start_call_main|@libc.so.6 __libc_start_main|__libc_start_main_impl|@libc.so.6 _start"
	staticTail  = "__libc_start_call_main __libc_start_main|__libc_start_main_impl _start"
)

// elsewhere are cases whose signal handlers run on alternate stacks.
var elsewhere = []string{"signaled_alternate", "preemption"}

// entryFunctions are probed at their first instruction, where they have no frame yet.
var entryFunctions = []string{"leaf", "saves_all", "allocates", "aligned_allocates"}

// Every stack is complete and correct, frame by frame, for all compilers and options.
func TestStacks(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	for _, build := range []string{
		"gcc-O0-fp", "gcc-O0-nofp", "gcc-O1-fp", "gcc-O1-nofp", "gcc-O2-fp", "gcc-O2-nofp", "gcc-O3-fp", "gcc-O3-nofp",
		"clang-O0-fp", "clang-O0-nofp", "clang-O1-fp", "clang-O1-nofp", "clang-O2-fp", "clang-O2-nofp", "clang-O3-fp", "clang-O3-nofp",
		"gcc-O2-nofp-nopie", "gcc-O2-nofp-static", "gcc-O2-nofp-staticpie", "gcc-O2-nofp-noplt", "gcc-O2-nofp-stripped",
	} {
		t.Run(build, func(t *testing.T) {
			program := stacksProgram(t, build)
			st := stackTest{tail: dynamicTail, elsewhere: elsewhere}
			if strings.Contains(build, "static") {
				st = stackTest{tail: staticTail, elsewhere: elsewhere, foreign: true}
			}
			var args []string
			if strings.Contains(build, "O2-nofp") {
				for _, f := range entryFunctions {
					args = append(args, "-e", "uprobe:"+program+":"+f)
				}
			}
			all, stdout := recordStacks(t, program, append(args, "--call-graph", "dwarf")...)
			st.check(t, all, stdout)
		})
	}
}

func TestStacksWithExceptions(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	for _, build := range []string{"gcc-O0-fp", "gcc-O2-nofp", "clang-O0-nofp", "clang-O2-nofp"} {
		t.Run(build, func(t *testing.T) {
			program := filepath.Join(testenv.Target(t, "cxx-"+build), "stacks")
			all, stdout := recordStacks(t, program, "--call-graph", "dwarf", "-e", "uprobe:"+sharedLibrary(t, program, "libstdc++.so.6")+":__gxx_personality_v0")
			stackTest{tail: dynamicTail, elsewhere: elsewhere}.check(t, all, stdout)
		})
	}
}

// sharedLibrary returns the path of a library that a program is linked to.
func sharedLibrary(t testing.TB, program, name string) string {
	t.Helper()
	m := regexp.MustCompile(regexp.QuoteMeta(name) + ` => (\S+)`).FindStringSubmatch(run(t, exec.Command("ldd", program)).stdout)
	if m == nil {
		t.Fatalf("%s is not linked with %s", program, name)
	}
	return m[1]
}

// goAlways are stacks of probed runtime functions that the runtime also calls on its own.
var goAlways = []string{
	"runtime.newproc1 runtime.newproc.func1 runtime.systemstack runtime.newproc @gostacks+ runtime.goexit",
	"runtime.doSigPreempt runtime.sighandler runtime.sigtrampgo runtime.sigtramp runtime.sigreturn__sigaction @gostacks* runtime.goexit|runtime.mstart|runtime.mcall|runtime.morestack",
	"runtime.asyncPreempt2 runtime.asyncPreempt @gostacks* runtime.goexit",
}

func TestStacksOfGo(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	for _, name := range []string{"gostacks", "gostacks-stripped"} {
		t.Run(name, func(t *testing.T) {
			program := testenv.Target(t, name)
			var args []string
			for _, f := range []string{
				"main.entered", "main.inGoroutine", "runtime.newproc1", "runtime.doSigPreempt", "runtime.asyncPreempt2",
			} {
				args = append(args, "-e", "uprobe:"+program+":"+f)
			}
			for _, offset := range instructions(t, testenv.Target(t, "gostacks"), "main.everywhere") {
				args = append(args, "-e", "uprobe:"+program+":main.everywhere+"+strconv.Itoa(offset))
			}
			all, stdout := recordStacks(t, program, append(args, "--call-graph", "dwarf")...)
			stackTest{always: goAlways, elsewhere: elsewhere}.check(t, all, stdout)
		})
	}
}

// instructions returns the offsets of a function's instructions.
func instructions(t testing.TB, program, function string) (offsets []int) {
	t.Helper()
	cmd := exec.Command(testenv.Tool(t, "objdump"), "--disassemble="+function, "--no-show-raw-insn", program)
	text := run(t, cmd).stdout
	instruction := regexp.MustCompile(`^ *([0-9a-f]+):\t`)
	start := int64(-1)
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		if m := instruction.FindStringSubmatch(lines.Text()); m != nil {
			address, _ := strconv.ParseInt(m[1], 16, 64)
			if start < 0 {
				start = address
			}
			offsets = append(offsets, int(address-start))
		}
	}
	if len(offsets) < 5 {
		t.Fatalf("%s has no function %s:\n%s", program, function, text)
	}
	return offsets
}

// While a function with a return probe runs, the kernel has replaced its return address.
func TestStacksBesideReturnProbes(t *testing.T) {
	testenv.Root(t)
	program := stacksProgram(t, "gcc-O2-nofp")
	var args []string
	for _, f := range []string{"leaf", "saves_all", "calls_aligned", "down", "run"} {
		args = append(args, "-e", "uretprobe:"+program+":"+f)
	}
	all, stdout := recordStacks(t, program, append(args, "--call-graph", "dwarf")...)
	stackTest{tail: dynamicTail, elsewhere: elsewhere}.check(t, all, stdout)
}

func TestStacksOfRust(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	for _, build := range []string{"rust-O0", "rust-O2"} {
		t.Run(build, func(t *testing.T) {
			all, stdout := recordStacks(t, filepath.Join(testenv.Target(t, build), "stacks"), "--call-graph", "dwarf")
			stackTest{tail: dynamicTail, elsewhere: elsewhere}.check(t, all, stdout)
		})
	}
}

func TestStacksOfCgo(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	all, stdout := recordStacks(t, testenv.Target(t, "cgostacks"), "--call-graph", "dwarf")
	stackTest{always: goAlways, elsewhere: elsewhere}.check(t, all, stdout)
}

// Stacks are correct at every instruction of a function, observed by uprobes.
func TestStacksAtEveryInstruction(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	for _, build := range []string{"gcc-O2-nofp", "clang-O2-nofp"} {
		t.Run(build, func(t *testing.T) {
			program := stacksProgram(t, build)
			var args []string
			for _, offset := range instructions(t, program, "shrunk") {
				args = append(args, "-e", "uprobe:"+program+":shrunk+"+strconv.Itoa(offset))
			}
			all, stdout := recordStacks(t, program, append(args, "--call-graph", "dwarf")...)
			stackTest{tail: dynamicTail, elsewhere: elsewhere}.check(t, all, stdout)
		})
	}
}

// beyondFramePointers are cases that frame pointers cannot unwind: code interrupted by a
// signal, functions that have not saved the frame pointer yet, and libraries without
// frame pointers.
var beyondFramePointers = []string{
	"signaled", "signaled_alternate", "signaled_twice", "signaled_at_entry", "shrunk_early", "sorts", "binds",
	"jit_frame_pointer", "calls_huge_frame", "threads", "depth_126", "depth_127", "depth_128", "depth_200",
}

// Frame pointers give the complete stack up to main if all functions have them.
func TestStacksByFramePointers(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	for _, build := range []string{"gcc-O0-fp", "clang-O2-fp"} {
		t.Run(build, func(t *testing.T) {
			all, stdout := recordStacks(t, stacksProgram(t, build), "--call-graph", "fp")
			all = where(all, func(h *hit) bool { return h.User[0].Function != "on_step" })
			for i := range all {
				if n := slices.IndexFunc(all[i].User, func(c call) bool { return c.Function == "main" }); n >= 0 {
					all[i].User = all[i].User[:n+1]
				}
			}
			stackTest{except: beyondFramePointers}.check(t, all, stdout)
		})
	}
}

func stacksProgram(t testing.TB, build string) string {
	t.Helper()
	return filepath.Join(testenv.Target(t, "stacks-"+build), "stacks")
}
