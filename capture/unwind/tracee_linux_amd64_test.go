package unwind_test

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/arch/x86/x86asm"
	"golang.org/x/sys/unix"

	"trapline/internal/elffile"
	"trapline/internal/gotable"
)

// A tracee is a Go program under ptrace whose first thread is executed instruction by
// instruction. The test's goroutine must stay on one thread: ptrace obeys no other.
//
// Neither the speed of the machine nor the way it single-steps matters. Each
// instruction ends at a breakpoint instruction written to every address that may come
// next, and the other threads stand still: Go's monitor among them, which would
// otherwise ask for preemption every 10 ms, before a slow tracee had done anything.
type tracee struct {
	pid      int // of the process and of its first thread
	regs     unix.PtraceRegs
	mem      *os.File // /proc/PID/mem
	pages    map[uint64][]byte
	monitor  int // the thread that asks for preemption, stopped since it was created
	threads  []int
	mappings []traceeMapping
	rules    ruleCache
	table    *gotable.Table
	bias     uint64 // addresses minus those in the program's file
}

type traceeMapping struct {
	start, end, offset uint64
	path               string
	code               bool
}

// pageSize is what memory is read by.
const pageSize = 4096

// startTracee starts a program, stopped before its first instruction. It is killed after
// the limit.
func startTracee(t *testing.T, limit time.Duration, path string, args, env []string) *tracee {
	t.Helper()
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &unix.SysProcAttr{Ptrace: true, Pdeathsig: unix.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	watchdog := time.AfterFunc(limit, func() { cmd.Process.Kill() })
	p := &tracee{pid: cmd.Process.Pid, pages: make(map[uint64][]byte), rules: make(ruleCache)}
	t.Cleanup(func() {
		watchdog.Stop()
		cmd.Process.Kill()
		p.reap()
	})
	p.wait(t)
	// New threads stop before they run; all are killed if the test dies.
	if err := unix.PtraceSetOptions(p.pid, unix.PTRACE_O_TRACECLONE|unix.PTRACE_O_EXITKILL); err != nil {
		t.Fatal(err)
	}
	var err error
	if p.mem, err = os.OpenFile(fmt.Sprintf("/proc/%d/mem", p.pid), os.O_RDWR, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.mem.Close() })
	p.readTable(t, path)
	return p
}

// readTable reads the program's table of functions, and where the program lies.
func (p *tracee) readTable(t *testing.T, path string) {
	t.Helper()
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
	first := slices.IndexFunc(e.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_LOAD })
	for _, m := range p.mappings {
		if m.path == path && m.offset == 0 {
			p.bias = m.start - e.Progs[first].Vaddr
		}
	}
}

func (p *tracee) readMappings(t *testing.T) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", p.pid))
	if err != nil {
		t.Fatal(err)
	}
	p.mappings = nil
	for line := range strings.Lines(string(b)) {
		var m traceeMapping
		var perms, device string
		var inode int
		fmt.Sscanf(line, "%x-%x %s %x %s %d %s", &m.start, &m.end, &perms, &m.offset, &device, &inode, &m.path)
		m.code = strings.Contains(perms, "x")
		p.mappings = append(p.mappings, m)
	}
}

// mapping returns the code mapped at an address, nil if there is none.
func (p *tracee) mapping(address uint64) *traceeMapping {
	for i := range p.mappings {
		if m := &p.mappings[i]; address >= m.start && address < m.end && m.code {
			return m
		}
	}
	return nil
}

// entry returns the address of a Go function.
func (p *tracee) entry(t *testing.T, function string) uint64 {
	t.Helper()
	for i := range p.table.Len() {
		if f, ok := p.table.Function(i); ok && p.table.Name(f.NameOff) == function {
			return f.Entry + p.bias
		}
	}
	t.Fatalf("there is no %s", function)
	return 0
}

// function returns the name of a Go function, or else of the image.
func (p *tracee) function(address uint64) string {
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

func (p *tracee) describe(addresses []uint64) string {
	var b strings.Builder
	for _, address := range addresses {
		fmt.Fprintf(&b, " %s(%#x)", p.function(address), address-p.bias)
	}
	return b.String()
}

// read returns n bytes of memory, at most up to the end of the next page, and fewer
// where nothing is mapped.
func (p *tracee) read(address uint64, n int) []byte {
	page := address &^ (pageSize - 1)
	b, ok := p.pages[page]
	if !ok {
		b = make([]byte, 2*pageSize)
		k, _ := p.mem.ReadAt(b, int64(page))
		b = b[:k]
		p.pages[page] = b
	}
	from := min(int(address-page), len(b))
	return b[from:min(from+n, len(b))]
}

// word returns 8 bytes of memory, 0 where nothing is mapped.
func (p *tracee) word(address uint64) uint64 {
	b := p.read(address, 8)
	if len(b) < 8 {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

// instruction decodes the instruction at an address; ok is false if it is not known.
func (p *tracee) instruction(address uint64) (inst x86asm.Inst, ok bool) {
	inst, err := x86asm.Decode(p.read(address, 16), 64)
	return inst, err == nil
}

// wait waits until the first thread stops again and returns the signal that it stopped
// for, 0 for a trap.
func (p *tracee) wait(t *testing.T) unix.Signal {
	t.Helper()
	for {
		var status unix.WaitStatus
		if _, err := unix.Wait4(p.pid, &status, unix.WALL, nil); err != nil {
			t.Fatal(err)
		}
		if !status.Stopped() {
			t.Fatalf("the program ended: %#x", int(status))
		}
		if status.TrapCause() <= 0 { // not a new thread
			clear(p.pages)
			if err := unix.PtraceGetRegs(p.pid, &p.regs); err != nil {
				t.Fatal(err)
			}
			if status.StopSignal() == unix.SIGTRAP {
				return 0
			}
			return status.StopSignal()
		}
		if err := unix.PtraceCont(p.pid, 0); err != nil {
			t.Fatal(err)
		}
	}
}

// reap waits for a killed tracee's end. The first thread's comes last.
func (p *tracee) reap() {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, unix.WALL|unix.WNOTHREAD, nil)
		if err != nil && err != unix.EINTR || pid == p.pid && (status.Exited() || status.Signaled()) {
			return
		}
	}
}

const breakpoint = 0xcc // int3

// breakpoints writes breakpoints and returns what takes them away again.
func (p *tracee) breakpoints(t *testing.T, addresses []uint64) (remove func()) {
	t.Helper()
	saved := make([]byte, len(addresses))
	for i, address := range addresses {
		_, err := p.mem.ReadAt(saved[i:i+1], int64(address))
		if err == nil {
			_, err = p.mem.WriteAt([]byte{breakpoint}, int64(address))
		}
		if err != nil {
			t.Fatalf("a breakpoint at %s: %v", p.describe([]uint64{address}), err)
		}
	}
	return func() {
		for i, address := range slices.Backward(addresses) {
			if _, err := p.mem.WriteAt(saved[i:i+1], int64(address)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// runTo lets the first thread go on, with a signal or 0, to the first of the addresses
// that it reaches. It returns the signal that the thread stops for before, or 0.
func (p *tracee) runTo(t *testing.T, signal unix.Signal, addresses ...uint64) unix.Signal {
	t.Helper()
	remove := p.breakpoints(t, addresses)
	if err := unix.PtraceCont(p.pid, int(signal)); err != nil {
		t.Fatal(err)
	}
	signal = p.wait(t)
	remove()
	if signal != 0 {
		return signal
	}
	p.stoppedAtBreakpoint(t, addresses)
	return 0
}

// stoppedAtBreakpoint sets the first thread back to the breakpoint that it executed.
func (p *tracee) stoppedAtBreakpoint(t *testing.T, addresses []uint64) {
	t.Helper()
	p.regs.Rip--
	if !slices.Contains(addresses, p.regs.Rip) {
		t.Fatalf("a trap at %s, not at %s", p.describe([]uint64{p.regs.Rip}), p.describe(addresses))
	}
	if err := unix.PtraceSetRegs(p.pid, &p.regs); err != nil {
		t.Fatal(err)
	}
}

// errUnknownInstruction says that what follows an instruction is not known.
var errUnknownInstruction = errors.New("unknown instruction")

// step executes one instruction and returns the signal that prevented it, 0 if none did.
func (p *tracee) step(t *testing.T) (unix.Signal, error) {
	t.Helper()
	inst, ok := p.instruction(p.regs.Rip)
	if !ok {
		return 0, errUnknownInstruction
	}
	next, err := p.successors(inst)
	if err != nil {
		return 0, err
	}
	return p.runTo(t, 0, next...), nil
}

// successors returns the addresses that execution can go to from an instruction at
// the first thread's program counter.
func (p *tracee) successors(inst x86asm.Inst) ([]uint64, error) {
	next := p.regs.Rip + uint64(inst.Len)
	switch inst.Op {
	case x86asm.RET:
		return []uint64{p.word(p.regs.Rsp)}, nil
	case x86asm.SYSCALL:
		if p.regs.Rax == unix.SYS_RT_SIGRETURN {
			return []uint64{p.word(p.regs.Rsp + ucontextRIP)}, nil
		}
	case x86asm.JMP, x86asm.CALL:
		target, err := p.operand(inst.Args[0], next)
		return []uint64{target}, err
	}
	if offset, ok := inst.Args[0].(x86asm.Rel); ok { // a conditional jump
		return []uint64{next, next + uint64(int64(offset))}, nil
	}
	return []uint64{next}, nil
}

// ucontextRIP is where struct ucontext has the program counter:
// arch/x86/include/uapi/asm/sigcontext.h.
const ucontextRIP = 168

// operand returns the target of a jump or call that next follows.
func (p *tracee) operand(arg x86asm.Arg, next uint64) (uint64, error) {
	switch a := arg.(type) {
	case x86asm.Rel:
		return next + uint64(int64(a)), nil
	case x86asm.Reg:
		return p.register(a)
	case x86asm.Mem:
		if a.Segment != 0 {
			return 0, errUnknownInstruction
		}
		address := uint64(a.Disp)
		if a.Base == x86asm.RIP {
			address += next
		} else if a.Base != 0 {
			base, err := p.register(a.Base)
			if err != nil {
				return 0, err
			}
			address += base
		}
		if a.Index != 0 {
			index, err := p.register(a.Index)
			if err != nil {
				return 0, err
			}
			address += index * uint64(a.Scale)
		}
		return p.word(address), nil
	}
	return 0, errUnknownInstruction
}

func (p *tracee) register(r x86asm.Reg) (uint64, error) {
	g := &p.regs
	registers := [...]uint64{g.Rax, g.Rcx, g.Rdx, g.Rbx, g.Rsp, g.Rbp, g.Rsi, g.Rdi, g.R8, g.R9, g.R10, g.R11, g.R12, g.R13, g.R14, g.R15}
	if r < x86asm.RAX || r > x86asm.R15 {
		return 0, errUnknownInstruction
	}
	return registers[r-x86asm.RAX], nil
}

// start runs the program, with all its threads but Go's monitor, to the entry of a
// function in its first thread, and stops them all there.
func (p *tracee) start(t *testing.T, function string) {
	t.Helper()
	at := []uint64{p.entry(t, function)}
	remove := p.breakpoints(t, at)
	for p.cont(t, p.pid, 0); ; {
		var status unix.WaitStatus
		tid, err := unix.Wait4(-1, &status, unix.WALL|unix.WNOTHREAD, nil)
		switch signal := status.StopSignal(); {
		case err != nil:
			t.Fatal(err)
		case !status.Stopped() && tid == p.pid:
			t.Fatalf("the program ended: %#x", int(status))
		case !status.Stopped():
			p.threads = slices.DeleteFunc(p.threads, func(thread int) bool { return thread == tid })
		case status.TrapCause() > 0:
			p.created(t, tid)
		case signal == unix.SIGSTOP && tid != p.pid && !slices.Contains(p.threads, tid):
			// A new thread, which may be there before its creator says so.
			p.threads = append(p.threads, tid)
			if p.monitor != 0 && p.monitor != tid {
				p.cont(t, tid, 0)
			}
		case signal == unix.SIGTRAP && tid == p.pid:
			if err := unix.PtraceGetRegs(p.pid, &p.regs); err != nil {
				t.Fatal(err)
			}
			for _, thread := range p.threads {
				if thread != p.monitor {
					p.freeze(t, thread)
				}
			}
			remove()
			clear(p.pages)
			p.stoppedAtBreakpoint(t, at)
			p.readMappings(t)
			return
		default:
			p.cont(t, tid, signal)
		}
	}
}

// created lets a thread go on that has created another one. The first one of all is
// Go's monitor: see runtime.main.
func (p *tracee) created(t *testing.T, tid int) {
	t.Helper()
	if p.monitor == 0 {
		created, err := unix.PtraceGetEventMsg(tid)
		if err != nil {
			t.Fatal(err)
		}
		p.monitor = int(created)
		for _, thread := range p.threads {
			if thread != p.monitor {
				p.cont(t, thread, 0)
			}
		}
	}
	p.cont(t, tid, 0)
}

// cont lets a thread go on, with a signal or 0. One that was killed meanwhile does not.
func (p *tracee) cont(t *testing.T, tid int, signal unix.Signal) {
	t.Helper()
	if err := unix.PtraceCont(tid, int(signal)); err != nil && err != unix.ESRCH {
		t.Fatal(err)
	}
}

// freeze stops a thread in a system call, where it holds none of the runtime's locks.
func (p *tracee) freeze(t *testing.T, tid int) {
	t.Helper()
	for {
		if err := unix.Tgkill(p.pid, tid, unix.SIGSTOP); err == unix.ESRCH {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		var status unix.WaitStatus
		for status.StopSignal() != unix.SIGSTOP {
			if _, err := unix.Wait4(tid, &status, unix.WALL, nil); err != nil {
				t.Fatal(err)
			}
			if !status.Stopped() {
				return
			}
			if status.StopSignal() != unix.SIGSTOP {
				if err := unix.PtraceCont(tid, 0); err != nil {
					t.Fatal(err)
				}
			}
		}
		var regs unix.PtraceRegs
		if err := unix.PtraceGetRegs(tid, &regs); err != nil {
			t.Fatal(err)
		}
		if int64(regs.Orig_rax) >= 0 {
			return
		}
		if err := unix.PtraceCont(tid, 0); err != nil {
			t.Fatal(err)
		}
	}
}

// requestPreemption lets Go's monitor run until it has sent the first thread, which has
// been running for too long, the signal that asks for preemption.
func (p *tracee) requestPreemption(t *testing.T) {
	t.Helper()
	for {
		if err := unix.PtraceSyscall(p.monitor, 0); err != nil {
			t.Fatal(err)
		}
		var status unix.WaitStatus
		var regs unix.PtraceRegs
		_, err := unix.Wait4(p.monitor, &status, unix.WALL, nil)
		if err == nil && !status.Stopped() {
			err = io.EOF
		}
		if err == nil {
			err = unix.PtraceGetRegs(p.monitor, &regs)
		}
		if err != nil {
			t.Fatalf("Go's monitor: %v", err)
		}
		// On the way out of the call, RAX has its result.
		if regs.Orig_rax == unix.SYS_TGKILL && regs.Rax == 0 && regs.Rsi == uint64(p.pid) && regs.Rdx == uint64(unix.SIGURG) {
			return
		}
	}
}

// deliver lets the kernel call the handler of a signal, and stops there.
func (p *tracee) deliver(t *testing.T, signal unix.Signal) {
	t.Helper()
	if next := p.runTo(t, signal, p.entry(t, "runtime.sigtramp"), p.entry(t, "runtime.cgoSigtramp")); next != 0 {
		t.Fatalf("signal %v before the handler of %v", next, signal)
	}
}
