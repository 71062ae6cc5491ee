package teach

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"trapline/capture/host"
	"trapline/capture/unwind"
	"trapline/internal/kallsyms"
	"trapline/internal/testenv"
)

func needORC(t *testing.T) (*unwind.ORC, *kallsyms.Symbols) {
	t.Helper()
	testenv.Root(t)
	testenv.BTF(t)
	symbols, err := host.ReadKallsyms()
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	orc, err := ReadORC(symbols)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("tables read in %v, with the kernel's types", time.Since(start))
	return orc, symbols
}

// At its first instruction, a function has only its return address on the stack.
// Exceptions are entry code and symbols that are not functions.
func TestORCAtFunctionEntry(t *testing.T) {
	orc, symbols := needORC(t)
	called := unwind.Rule{Kind: unwind.RuleStep, Base: unwind.RegSP, CFA: 8}
	functions, others := 0, 0
	symbols.Functions(func(name, module string, address uint64) bool {
		if strings.HasPrefix(name, "__pfx_") || strings.HasPrefix(name, "__cfi_") {
			return true // padding before functions
		}
		if strings.Contains(name, ".") {
			return true // parts of functions
		}
		functions++
		if rule := orc.Rule(address); rule != called {
			others++
			if strings.HasPrefix(name, "vfs_") {
				t.Errorf("%s: %+v, want %+v", name, rule, called)
			}
		}
		return true
	})
	// Section bounds, entry points and thunks are few.
	t.Logf("%d of %d functions", functions-others, functions)
	if functions < 10000 || others > functions/100 {
		t.Errorf("%d of %d functions start with something on the stack", others, functions)
	}
}

// The driver of dummy network interfaces is a module of the VM's kernel.
func TestORCOfModules(t *testing.T) {
	testenv.VM(t)
	f, err := os.Open("/vm/dummy.ko")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.FinitModule(int(f.Fd()), "", 0); err != nil && !errors.Is(err, unix.EEXIST) {
		t.Fatal(err)
	}
	orc, symbols := needORC(t)
	called := unwind.Rule{Kind: unwind.RuleStep, Base: unwind.RegSP, CFA: 8}
	functions := 0
	symbols.Functions(func(name, module string, address uint64) bool {
		if module != "dummy" || strings.HasPrefix(name, "__pfx_") || strings.Contains(name, ".") {
			return true
		}
		functions++
		if rule := orc.Rule(address); rule != called && name == "dummy_xmit" {
			t.Errorf("%s: %+v, want %+v", name, rule, called)
		}
		return true
	})
	if functions < 5 {
		t.Errorf("only %d functions of the module", functions)
	}
}

// Walking sleeping tasks by rules gives the stacks that the kernel's own unwinder shows
// in /proc/PID/stack.
func TestORCWalksSleepingTasks(t *testing.T) {
	orc, symbols := needORC(t)
	memory, err := openKernelMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer memory.close()
	start, end := symbols.Addresses("__sched_text_start"), symbols.Addresses("__sched_text_end")
	if len(start) != 1 || len(end) != 1 {
		t.Fatalf("the scheduler is at %#x to %#x", start, end)
	}
	before := make(map[int]string)
	paths, _ := filepath.Glob("/proc/[0-9]*")
	for _, path := range paths {
		if pid, err := strconv.Atoi(filepath.Base(path)); err == nil {
			before[pid] = taskState(pid)
		}
	}
	walked := 0
	for pid, task := range readTasks(t, memory) {
		got, problem := walkKernel(orc, memory, task)
		want := kernelStack(pid)
		if state := taskState(pid); state == "" || state != before[pid] || strings.HasPrefix(state, "R") {
			continue // ended, running, or ran meanwhile
		}
		walked++
		// /proc omits the scheduler's functions.
		for len(got) > 0 && got[0] >= start[0] && got[0] < end[0] {
			got = got[1:]
		}
		if problem != "" || len(got) != len(want) {
			t.Errorf("task %d: %d frames %s %s, the kernel shows %d: %q", pid, len(got), symbolNames(symbols, got), problem, len(want), want)
			continue
		}
		for i, address := range got {
			name, rest, _ := strings.Cut(want[i], "+")
			offset, _, _ := strings.Cut(rest, "/")
			off, err := strconv.ParseUint(offset, 0, 64)
			if err != nil || !slices.Contains(symbols.Addresses(name), address-off) {
				t.Errorf("task %d: frame %d is %#x, the kernel shows %s", pid, i, address, want[i])
			}
		}
	}
	t.Logf("%d tasks", walked)
	if walked < 10 {
		t.Errorf("only %d of %d processes slept", walked, len(before))
	}
}

// A sleepingTask is a task that is not running: switch_to has pushed a struct
// inactive_task_frame to its stack.
type sleepingTask struct{ ip, sp, fp uint64 }

func walkKernel(orc *unwind.ORC, memory *kernelMemory, task sleepingTask) (addresses []uint64, end string) {
	word := func(address uint64) uint64 {
		b, err := memory.read(address, 8)
		if err != nil {
			return 0
		}
		return binary.LittleEndian.Uint64(b)
	}
	for ip, sp, fp := task.ip, task.sp, task.fp; len(addresses) < 64; {
		rule := orc.Rule(ip - 1)
		addresses = append(addresses, ip)
		base := sp
		if rule.Base == unwind.RegFP {
			base = fp
		}
		cfa := base + uint64(int64(rule.CFA))
		switch rule.Kind {
		case unwind.RuleEnd:
			return addresses, ""
		case unwind.RuleRegisters:
			const ptRegsCS = 136
			if word(cfa+ptRegsCS)&3 == 3 {
				return addresses, ""
			}
			return addresses, fmt.Sprintf("interrupted in the kernel at %#x", ip)
		case unwind.RuleStep:
		default:
			return addresses, fmt.Sprintf("at %#x: %+v", ip, rule)
		}
		if rule.Deref {
			cfa = word(cfa)
		}
		if rule.SavesFP {
			at := cfa
			if rule.FPFromFP {
				at = fp
			}
			fp = word(at + uint64(int64(rule.FP)))
		}
		ip, sp = word(cfa-8), cfa
	}
	return addresses, "too many frames"
}

// readTasks returns how each thread was switched out. Entries of running threads are
// stale.
func readTasks(t *testing.T, memory *kernelMemory) map[int]sleepingTask {
	t.Helper()
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		t.Fatal(err)
	}
	offset := func(structure string, members ...string) uint64 {
		var s *btf.Struct
		if err := spec.TypeByName(structure, &s); err != nil {
			t.Fatal(err)
		}
		at := uint64(0)
		for _, name := range members {
			m, ok := member(s, name)
			if !ok {
				t.Fatalf("struct %s has no %s", s.Name, name)
			}
			at += uint64(m.Offset.Bytes())
			s, _ = btf.UnderlyingType(m.Type).(*btf.Struct)
		}
		return at
	}
	gone := false // the task has ended and its stack is freed
	word := func(address uint64) uint64 {
		b, err := memory.read(address, 8)
		if err != nil {
			gone = true
			return 0
		}
		return binary.LittleEndian.Uint64(b)
	}
	pid, sp := offset("task_struct", "pid"), offset("task_struct", "thread", "sp")
	fp, ip := offset("inactive_task_frame", "bp"), offset("inactive_task_frame", "ret_addr")
	tasks := make(map[int]sleepingTask)
	for _, task := range taskAddresses(t) {
		gone = false
		frame := word(task + sp)
		sleeping := sleepingTask{word(frame + ip), frame + ip + 8, word(frame + fp)}
		if id := int(uint32(word(task + pid))); !gone {
			tasks[id] = sleeping
		}
	}
	return tasks
}

// taskAddresses returns the address of the struct task_struct of each thread, from a BPF
// iterator:
//
// if (ctx->task) bpf_seq_write(ctx->meta->seq, &ctx->task, 8);
func taskAddresses(t *testing.T) []uint64 {
	t.Helper()
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.Tracing, AttachType: ebpf.AttachTraceIter, AttachTo: "task", License: "GPL",
		Instructions: asm.Instructions{
			asm.LoadMem(asm.R6, asm.R1, 8, asm.DWord),
			asm.JEq.Imm(asm.R6, 0, "out"),
			asm.StoreMem(asm.RFP, -8, asm.R6, asm.DWord),
			asm.LoadMem(asm.R1, asm.R1, 0, asm.DWord),
			asm.LoadMem(asm.R1, asm.R1, 0, asm.DWord),
			asm.Mov.Reg(asm.R2, asm.RFP),
			asm.Add.Imm(asm.R2, -8),
			asm.Mov.Imm(asm.R3, 8),
			asm.FnSeqWrite.Call(),
			asm.Mov.Imm(asm.R0, 0).WithSymbol("out"),
			asm.Return(),
		}})
	if err != nil {
		t.Fatalf("%+v", err)
	}
	defer prog.Close()
	it, err := link.AttachIter(link.IterOptions{Program: prog})
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	r, err := it.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	tasks := make([]uint64, len(b)/8)
	for i := range tasks {
		tasks[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	return tasks
}

// kernelStack returns the frames of a task's stack in /proc: symbol+offset/size.
func kernelStack(pid int) []string {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stack"))
	if err != nil {
		return nil
	}
	var frames []string
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		if _, frame, ok := strings.Cut(line, "[<0>] "); ok {
			frames = append(frames, frame)
		}
	}
	return frames
}

// taskState returns the state of a task and its number of context switches.
func taskState(pid int) string {
	b, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	_, state, _ := strings.Cut(string(b), "State:\t")
	state, _, _ = strings.Cut(state, " ")
	_, switches, _ := strings.Cut(string(b), "voluntary_ctxt_switches:")
	return state + switches
}

func symbolNames(symbols *kallsyms.Symbols, addresses []uint64) []string {
	var names []string
	for _, address := range addresses {
		a, _ := symbols.Resolve(address - 1)
		names = append(names, a.Symbol)
	}
	return names
}
