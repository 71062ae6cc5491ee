//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// guest is process 1: it prepares the machine, runs the job and powers off. It
// must not return or exit, as the kernel panics then.
func guest() {
	mountAll()
	out, err := openOutput("/dev/ttyS1")
	if err != nil {
		fmt.Println("vmexec:", err)
		out = os.Stdout
	}
	if err := loopbackUp(); err != nil {
		fmt.Fprintln(out, "vmexec: network interface lo:", err)
	}
	code, err := runJob(out)
	if err != nil {
		fmt.Fprintln(out, "vmexec:", err)
	}
	drain(out)
	// Process 1's output is the console.
	if list, err := os.ReadFile(leftOutPath); err == nil {
		for line := range strings.Lines(string(list)) {
			fmt.Printf("\n%s%s", leftOut, line)
		}
	}
	fmt.Printf("\n%s%d\n", verdict, code)
	if console, err := os.OpenFile("/dev/ttyS0", os.O_RDWR|unix.O_NOCTTY, 0); err == nil {
		drain(console)
	}
	unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}

// mountAll mounts the usual file systems, except tracefs and bpffs, which the programs
// under test find or mount.
func mountAll() {
	for _, m := range []struct{ fstype, dir string }{
		{"proc", "/proc"},
		{"sysfs", "/sys"},
		{"devtmpfs", "/dev"},
		{"securityfs", "/sys/kernel/security"},
		{"cgroup2", "/sys/fs/cgroup"},
	} {
		os.MkdirAll(m.dir, 0o755)
		if err := unix.Mount(m.fstype, m.dir, m.fstype, 0, ""); err != nil {
			fmt.Printf("vmexec: mount %s: %v\n", m.dir, err)
		}
	}
	os.MkdirAll("/tmp", 0o1777)
}

// openOutput opens a serial line in raw mode: no carriage returns, no echo.
func openOutput(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	t, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err == nil {
		t.Oflag &^= unix.OPOST
		t.Lflag &^= unix.ECHO | unix.ICANON
		err = unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, t)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// drain waits until a serial line has sent everything; powering off would lose the rest.
func drain(f *os.File) { unix.IoctlSetInt(int(f.Fd()), unix.TCSBRK, 1) }

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, ifr); err != nil {
		return err
	}
	ifr.SetUint16(ifr.Uint16() | unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr)
}

// runJob runs the program and returns its exit status, exitBroken with an error.
func runJob(out *os.File) (int, error) {
	text, err := os.ReadFile(jobPath)
	if err != nil {
		return exitBroken, err
	}
	var todo job
	if err := json.Unmarshal(text, &todo); err != nil {
		return exitBroken, fmt.Errorf("%s: %w", jobPath, err)
	}
	for _, a := range todo.Argv { // go test names files to write: -test.testlogfile=/tmp/…
		if _, v, ok := strings.Cut(a, "="); ok && strings.HasPrefix(v, "/") {
			os.MkdirAll(filepath.Dir(v), 0o755)
		}
	}
	cmd := exec.Command(todo.Argv[0], todo.Argv[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = todo.Dir, out, out
	cmd.Env = append([]string{"PATH=/bin:/sbin:/usr/bin", "HOME=/tmp", "TMPDIR=/tmp"}, todo.Env...)
	cmd.Env = append(cmd.Env, leftOutFile+"="+leftOutPath)
	err = cmd.Run()
	if s := cmd.ProcessState; s != nil && s.Exited() {
		return s.ExitCode(), nil
	}
	return exitBroken, err
}
