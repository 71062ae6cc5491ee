package unwind_test

import (
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
	"time"

	"golang.org/x/arch/x86/x86asm"
	"golang.org/x/sys/unix"

	"trapline/internal/elffile"
	"trapline/internal/gotable"
	"trapline/internal/x86"
)

// A tracee is a Go program under ptrace whose first thread is executed instruction by
// instruction. The test's goroutine must stay on the thread that started it.
//
// Neither the speed of the machine nor its way of single-stepping matters. To execute an
// instruction, a breakpoint is written to each address that may follow. All other threads
// are stopped. That includes Go's monitor, which requests preemption every 10 ms: a slowly
// stepped program would spend all of its time in the scheduler.
type tracee struct {
	pid      int // of the process and of its first thread
	regs     unix.PtraceRegs
	mem      *os.File // /proc/PID/mem
	pages    map[uint64][]byte
	monitor  int   // thread of runtime.sysmon, stopped since it was created
	threads  []int // all threads but the first
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

// pageSize is the unit in which memory is read.
const pageSize = 4096

// startTracee starts a program, stopped before its first instruction. The program is
// killed after the time limit.
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

// readTable reads the program's function table and load address.
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

// read returns n bytes of memory, fewer if they are not mapped. n is at most pageSize.
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

// word returns 8 bytes of memory, 0 if they are not mapped.
func (p *tracee) word(address uint64) uint64 {
	b := p.read(address, 8)
	if len(b) < 8 {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

// instruction decodes the instruction at an address.
func (p *tracee) instruction(address uint64) (inst x86asm.Inst, ok bool) {
	decoded, err := x86.Decode(p.read(address, 16))
	return decoded.Inst, err == nil
}

// wait waits until the first thread stops and returns the signal that it received, 0 for
// a trap.
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

// reap waits for all threads of a killed tracee. The first one exits last.
func (p *tracee) reap() {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, unix.WALL|unix.WNOTHREAD, nil)
		if err != nil && err != unix.EINTR || pid == p.pid && (status.Exited() || status.Signaled()) {
			return
		}
	}
}
