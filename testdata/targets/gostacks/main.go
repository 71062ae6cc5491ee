// Command gostacks runs cases whose user stack is known by construction. See
// ../stacks/case.h.
package main

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"
)

// A stackCase has the stacks that can be observed while run runs; see ../stacks/case.h.
type stackCase struct {
	name, stacks string
	run          func()
}

// Arguments of getpgid: 0 takes the stack.
const (
	caseNumber = 0x40000000
	caseEnd    = caseNumber - 1
)

func say(pid uintptr) { syscall.RawSyscall(syscall.SYS_GETPGID, pid, 0, 0) }

//go:noinline
func trap() { say(0) }

// The innermost frames, and the callers of a case.
const (
	trapped = "internal/runtime/syscall/linux.Syscall6 syscall.RawSyscall6|syscall.RawSyscall+ main.trap "
	below   = " main.main runtime.main runtime.goexit"
)

var cases = []stackCase{
	{"plain", trapped + "main.plain" + below, plain},
	{"entry", "main.entered main.entry" + below, entry},
	{"every", "main.everywhere main.every" + below, every},
	{"recursion", trapped + "main.down*200 main.recursion" + below, recursion},
	{"panics", trapped + "main.recovers runtime.gopanic main.panicking main.panics" + below, panics},
	{"faults", trapped + "main.recovers runtime.gopanic runtime.panicmem* runtime.sigpanic main.faulting main.faults" + below, faults},
	{"goroutine", trapped + "main.inGoroutine runtime.goexit; main.inGoroutine runtime.goexit", goroutine},
	{"systemstack", "runtime.newproc1 runtime.newproc.func1 runtime.systemstack runtime.newproc main.systemstack" + below, systemstack},
	{"preemption", "runtime.doSigPreempt runtime.sighandler runtime.sigtrampgo runtime.sigtramp " +
		"runtime.sigreturn__sigaction main.busy main.loops runtime.goexit; " +
		"runtime.asyncPreempt2 runtime.asyncPreempt main.busy main.loops runtime.goexit", preemption},
}

func main() {
	for n, c := range cases {
		fmt.Printf("%d %s: %s\n", n, c.name, c.stacks)
		say(caseNumber + uintptr(n))
		c.run()
		say(caseEnd)
	}
}

var sink int

//go:noinline
func plain() { trap() }

// Tests set a uprobe at its first instruction.
//
//go:noinline
func entered(n int) [16]int {
	var a [16]int
	a[n&15] = n
	return a
}

//go:noinline
func entry() { sink = entered(sink)[0] }

// Tests set a uprobe at each of its instructions.
//
//go:noinline
func everywhere(n int) int {
	var a [16]int
	for i := range 3 {
		a[(n+i)&15] = n
	}
	return a[n&15] + len(os.Args)
}

//go:noinline
func every() { sink = everywhere(sink) }

//go:noinline
func down(n int) int {
	if n == 1 {
		trap()
		return 1
	}
	return down(n-1) + 1
}

//go:noinline
func recursion() { sink = down(200) }

//go:noinline
func recovers() {
	trap()
	if recover() == nil {
		os.Exit(70)
	}
}

//go:noinline
func panicking() {
	defer recovers()
	panic("known")
}

//go:noinline
func panics() { panicking() }

//go:noinline
func faulting(p *int) int {
	defer recovers()
	return *p
}

//go:noinline
func faults() { sink = faulting(nil) }

var done = make(chan int)

//go:noinline
func inGoroutine() {
	trap()
	done <- 1
}

//go:noinline
func goroutine() {
	go inGoroutine()
	<-done
}

//go:noinline
func quiet() { done <- 1 }

//go:noinline
func systemstack() {
	go quiet()
	<-done
}

var stop bool

// busy makes no calls, so only a signal can preempt it.
//
//go:noinline
func busy(stop *bool, n int) int {
	for !*stop && n > 0 {
		n--
	}
	return n
}

//go:noinline
func loops() {
	sink = busy(&stop, 1<<40)
	done <- 1
}

//go:noinline
func preemption() {
	go loops()
	for range 20 {
		time.Sleep(time.Millisecond)
		runtime.GC()
	}
	stop = true
	<-done
}
