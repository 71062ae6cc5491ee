//go:build linux

// Command vmexec runs a program inside a throw-away virtual machine, with another
// kernel than the host's: go test -exec vmexec ./... tests packages there.
//
// The same static binary is both sides. On the host it writes an initramfs with
// the program and starts QEMU; in the guest it is process 1, which mounts the
// usual file systems, runs the program in a child and powers off. Process 1 is
// not the program itself because packages under test look at /proc while they
// initialise, before anything of theirs could mount it.
//
// Settings come from the environment, since go test leaves no room for flags:
//
//	VM_KERNEL   kernel image (required)
//	VM_FILES    files to bring along, src or src=dst, separated by colons
//	VM_TREES    directories to bring along at the same path, separated by colons
//	VM_SMP      CPUs (2)
//	VM_MEM      MiB of memory (1024)
//	VM_ACCEL    QEMU accelerator (tcg,thread=single)
//	VM_TIMEOUT  after which the machine is stopped (10m)
//
// Variables that begin with GO or TRAPLINE_ are passed on; TRAPLINE_VM=1 is added.
package main

import (
	"fmt"
	"os"
)

// A job is what the guest is to run. It travels as JSON in the initramfs.
type job struct {
	Dir  string
	Argv []string
	Env  []string
}

const (
	jobPath = "/vm/job.json"

	// verdict is what the guest prints on the console, with the program's status,
	// when all went well with the machine itself. QEMU's own status does not tell:
	// it is 0 after a kernel panic, too.
	verdict = "vmexec-exit: "

	// leftOut precedes each line of the guest's list of tests that were left out. The
	// host appends them to the file that leftOutFile names there.
	leftOut     = "vmexec-left-out: "
	leftOutFile = "TRAPLINE_TEST_LEFT_OUT"
	leftOutPath = "/vm/left-out"

	exitBroken = 125 // the machine could not be started, crashed or hung
)

func main() {
	if os.Getpid() == 1 {
		guest()
		return
	}
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: vmexec program [arguments]")
		os.Exit(exitBroken)
	}
	code, err := host(os.Args[1], os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "vmexec:", err)
	}
	os.Exit(code)
}
