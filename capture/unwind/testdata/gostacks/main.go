// Gostacks is the program that TestGoStacksStepByStep executes from stepFrom on. It makes
// calls on the goroutine's stack, on the system stack, to C, from C back to Go with a
// growing stack, and to the vdso, and ends with a fault.
package main

/*
extern int fromC(int);

static int inner(int n) { volatile char room[100]; room[n] = n; return fromC(n) + room[n]; }
static int called(int n) { volatile int r = inner(n); return r + 1; }
*/
import "C"

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sort"
	"time"
)

func init() { runtime.LockOSThread() } // main runs in the first thread

var (
	when  time.Time
	text  string
	bytes []byte
	boxed any
	null  *int
	total int
)

//go:noinline
func stepFrom() {}

//go:noinline
func stepTo() {}

//go:noinline
func leaf(n int) int { return n * 3 }

//go:noinline
func fib(n int) int {
	if n < 2 {
		return leaf(n)
	}
	return fib(n-1) + fib(n-2)
}

//go:noinline
func deep(n int) int {
	var room [2500]byte
	room[n] = byte(n)
	if n == 0 {
		when = time.Now()
		return 1
	}
	return deep(n-1) + int(room[n])
}

//export fromC
func fromC(n C.int) C.int {
	return C.int(deep(int(n)))
}

//go:noinline
func fault(p *int) int { return *p } // at its first instruction

func main() {
	debug.SetGCPercent(-1)
	loop := len(os.Args) > 1
	if loop {
		// Now no other goroutine is runnable. So after its preemption main continues, in
		// this thread.
		runtime.Gosched()
		runtime.UnlockOSThread()
	}
	stepFrom()
	for loop { // until it is preempted
		total = fib(20)
	}
	total = fib(4)
	when = time.Now()
	total += int(time.Since(when) & 1)
	bytes = make([]byte, 100<<10)
	boxed = map[string]int{"a": total, "b": len(bytes)}
	defer func() { total++ }()
	sort.Slice(bytes[:8], func(i, j int) bool { return bytes[i] < bytes[j] })
	text = fmt.Sprintf("%v %d", when.Nanosecond(), total)
	total += int(C.called(3))
	total += fault(null)
	stepTo()
}
