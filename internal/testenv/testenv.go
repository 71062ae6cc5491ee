// Package testenv lets tests state what they need from the machine.
//
// A test whose need is not met is skipped, and noted for the summary of make test.
// With TRAPLINE_TEST_ROOT=1 a need that can be met, by root or by installing
// something, fails the test instead. A feature that the machine itself lacks, as a
// check has found, always skips it: virtual machines cover those of the kernel, and
// there they must exist.
package testenv

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// InVM reports whether the test runs in one of the project's virtual machines.
func InVM() bool { return os.Getenv("TRAPLINE_VM") == "1" }

// Required reports whether leaving a test out is a failure.
func Required() bool { return os.Getenv("TRAPLINE_TEST_ROOT") == "1" }

// VM requires one of the project's virtual machines, for tests that would disturb the
// host.
func VM(t testing.TB) {
	t.Helper()
	if !InVM() {
		leaveOut(t, coveredInVM, "a virtual machine")
	}
}

// Host skips the test in virtual machines, which have no compilers or other tools. They
// are also slow: tests that do not depend on the kernel's version run only on the host.
func Host(t testing.TB) {
	t.Helper()
	if InVM() {
		t.Skip("left out: runs on the host only")
	}
}

// Tool requires a program and returns its path.
func Tool(t testing.TB, name string) string {
	t.Helper()
	Host(t)
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, program(name))
	}
	return path
}

func program(name string) string { return "the program " + name }

// Slow skips the test with go test -short.
func Slow(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("left out: -short")
	}
}

// Missing skips the test because something is missing. If nothing may be left out, it
// fails the test.
func Missing(t testing.TB, what string) {
	t.Helper()
	if Required() {
		t.Fatalf("needs %s, and leaving tests out is not allowed here", what)
	}
	leaveOut(t, uncovered, what)
}

// Unsupported skips the test because a check has found that the machine lacks something.
// That is never a failure.
func Unsupported(t testing.TB, what string) {
	t.Helper()
	leaveOut(t, uncovered, what)
}

// Classes of skipped tests. The summary omits those that ran in virtual machines.
const (
	coveredInVM = "vm"
	uncovered   = "no"
)

// leaveOut skips the test and appends it to the file TRAPLINE_TEST_LEFT_OUT, if set.
func leaveOut(t testing.TB, class, what string) {
	t.Helper()
	if path := os.Getenv("TRAPLINE_TEST_LEFT_OUT"); path != "" {
		wd, _ := os.Getwd()
		line := fmt.Sprintf("%s\t%s\t%s %s\n", class, what, filepath.Base(wd), t.Name())
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err == nil { // one write per line: other packages append at the same time
			_, err = f.WriteString(line)
			f.Close()
		}
		if err != nil {
			t.Fatalf("noting that the test is left out: %v", err)
		}
	}
	t.Skipf("left out: needs %s", what)
}
