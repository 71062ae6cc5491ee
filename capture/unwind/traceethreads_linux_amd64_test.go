package unwind_test

import (
	"io"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// start runs all threads except Go's monitor until the first thread enters a function,
// and then stops them.
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
			// A new thread. Its creator may report it later.
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

// created continues a thread that has created another one. The first thread created is
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

// cont continues a thread with a signal, or 0. The thread may have been killed meanwhile.
func (p *tracee) cont(t *testing.T, tid int, signal unix.Signal) {
	t.Helper()
	if err := unix.PtraceCont(tid, int(signal)); err != nil && err != unix.ESRCH {
		t.Fatal(err)
	}
}

// freeze stops a thread in a system call, where it holds no locks of the runtime.
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

// requestPreemption runs Go's monitor until it has sent the first thread the signal that
// requests preemption.
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
