//go:build linux

// Command vmexec runs a program in a disposable virtual machine with its own kernel:
// go test -exec vmexec ./... tests packages there.
//
// The same static binary runs on both sides. On the host it writes an initramfs with the
// program and starts QEMU. In the guest it is process 1, which mounts the usual file
// systems, runs the program in a child and powers off. The program itself cannot be
// process 1: packages under test read /proc while they initialise, before it is mounted.
//
// Environment variables configure it, since go test passes no flags:
//
//	VM_KERNEL   kernel image (required)
//	VM_FILES    files to copy to the guest, src or src=dst, separated by colons
//	VM_TREES    directories to copy to the same path, separated by colons
//	VM_SMP      CPUs (2)
//	VM_MEM      MiB of memory (3072)
//	VM_ACCEL    QEMU accelerator (tcg,thread=single)
//	VM_TIMEOUT  time limit of the machine (10m)
//
// Variables that begin with GO or TRAPLINE_ are passed on; TRAPLINE_VM=1 is added.
package main

import (
	"fmt"
	"os"
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
