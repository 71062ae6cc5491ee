//go:build linux

package main

// A job is what the guest runs. The initramfs contains it as JSON.
type job struct {
	Dir  string
	Argv []string
	Env  []string
}

const (
	jobPath = "/vm/job.json"

	// The guest prints verdict and the program's status on the console if the machine
	// itself worked. QEMU's status does not tell: it is 0 even after a kernel panic.
	verdict = "vmexec-exit: "

	// leftOut precedes each line of the guest's list of tests that were left out. The
	// host appends the list to the file that the variable leftOutFile names.
	leftOut     = "vmexec-left-out: "
	leftOutFile = "TRAPLINE_TEST_LEFT_OUT"
	leftOutPath = "/vm/left-out"

	exitBroken = 125 // the machine could not be started, crashed or hung
)
