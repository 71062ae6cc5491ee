// Command cgostacks runs cases whose user stacks pass through Go and C. See gostacks.
package main

// #include "calls.h"
import "C"

import (
	"fmt"
	"syscall"
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

// Frames between the languages: functions that cgo generates and functions of the
// runtime that switch stacks.
const (
	trapped = "internal/runtime/syscall/linux.Syscall6 syscall.RawSyscall6|syscall.RawSyscall+ main.trap "
	toC     = " @cgostacks* runtime.asmcgocall runtime.cgocall "
	below   = " main.main runtime.main runtime.goexit"
)

var cases = []stackCase{
	{"calls", "c_inner c_outer" + toC + "main._Cfunc_c_outer main.calls" + below, calls},
	{"back", trapped + "main.goBack* @cgostacks+ c_calls_back" + toC + "main._Cfunc_c_calls_back main.back" + below, back},
	{"thread", trapped + "main.goBack* @cgostacks+ c_thread start_thread|@libc.so.6 clone3|__clone3|clone|__clone|@libc.so.6", thread},
}

func main() {
	for n, c := range cases {
		fmt.Printf("%d %s: %s\n", n, c.name, c.stacks)
		say(caseNumber + uintptr(n))
		c.run()
		say(caseEnd)
	}
}

//export goBack
func goBack() { trap() }

//go:noinline
func calls() { C.c_outer() }

//go:noinline
func back() { C.c_calls_back() }

//go:noinline
func thread() { C.c_starts_thread() }
