//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// host runs the program in a machine and returns its exit status.
func host(program string, args []string) (int, error) {
	kernel := os.Getenv("VM_KERNEL")
	if kernel == "" {
		return exitBroken, errors.New("VM_KERNEL is not set: name a kernel image")
	}
	limit, err := time.ParseDuration(setting("VM_TIMEOUT", "10m"))
	if err != nil {
		return exitBroken, fmt.Errorf("VM_TIMEOUT: %w", err)
	}
	tmp, err := os.MkdirTemp("", "vmexec")
	if err != nil {
		return exitBroken, err
	}
	defer os.RemoveAll(tmp)
	initramfs := filepath.Join(tmp, "initramfs")
	if err := writeInitramfs(initramfs, program, args); err != nil {
		return exitBroken, fmt.Errorf("writing the initramfs: %w", err)
	}
	console := filepath.Join(tmp, "console")
	state, err := boot(kernel, initramfs, console, limit)
	if err != nil {
		return exitBroken, err
	}
	text, err := os.ReadFile(console)
	if err != nil {
		return exitBroken, fmt.Errorf("qemu left no console output (%v): %w", state, err)
	}
	if m := verdictLine.FindSubmatch(text); m != nil {
		if err := noteLeftOut(text); err != nil {
			return exitBroken, err
		}
		return strconv.Atoi(string(m[1]))
	}
	return exitBroken, fmt.Errorf("the machine ended without a verdict (qemu: %v); its console:\n%s", state, tail(string(text), 60))
}

// noteLeftOut appends the guest's list of tests that were left out to the host's.
func noteLeftOut(console []byte) error {
	path := os.Getenv(leftOutFile)
	if path == "" {
		return nil
	}
	var list strings.Builder
	for line := range strings.Lines(string(console)) {
		if what, ok := strings.CutPrefix(line, leftOut); ok {
			list.WriteString(strings.TrimSpace(what) + "\n")
		}
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(list.String())
	return err
}

var verdictLine = regexp.MustCompile(`(?m)^` + verdict + `(\d+)\s*$`)

// boot runs QEMU until the machine powers off or the limit expires.
//
// By default QEMU emulates all CPUs on one host thread. With one thread per CPU, guest
// kernels crash now and then while they patch their own code. KVM is not the default
// because it may hang instead of failing in nested virtual machines.
func boot(kernel, initramfs, console string, limit time.Duration) (*os.ProcessState, error) {
	cmd := exec.Command("qemu-system-x86_64",
		"-accel", setting("VM_ACCEL", "tcg,thread=single"), "-cpu", "max", "-M", "q35",
		"-smp", setting("VM_SMP", "2"), "-m", setting("VM_MEM", "3072"),
		"-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none", "-no-reboot",
		"-serial", "file:"+console, // ttyS0: the kernel's console
		"-serial", "stdio", // ttyS1: the program's output
		"-kernel", kernel, "-initrd", initramfs,
		"-append", "console=ttyS0 panic=-1 oops=panic quiet")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	watchdog := time.AfterFunc(limit, func() {
		fmt.Fprintf(os.Stderr, "vmexec: stopping the machine after %v\n", limit)
		cmd.Process.Kill()
	})
	defer watchdog.Stop()
	// If QEMU failed, the verdict is missing.
	if err := cmd.Wait(); err != nil && cmd.ProcessState == nil {
		return nil, err
	}
	return cmd.ProcessState, nil
}

// writeInitramfs writes the guest's file system.
func writeInitramfs(path, program string, args []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	wd, err := os.Getwd()
	if err != nil {
		return err
	}
	inGuest := "/vm/" + filepath.Base(program)
	todo := job{Dir: wd, Argv: append([]string{inGuest}, args...), Env: []string{"TRAPLINE_VM=1"}}
	for _, v := range os.Environ() {
		if strings.HasPrefix(v, "GO") || strings.HasPrefix(v, "TRAPLINE_") {
			todo.Env = append(todo.Env, v)
		}
	}
	description, err := json.Marshal(todo)
	if err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	c := newCPIOWriter(f)
	c.file(self, "/init")
	c.file(program, inGuest)
	c.bytes(jobPath, string(description))
	c.dir(wd)
	if _, err := os.Stat("testdata"); err == nil { // go test runs tests in the directory of their package
		c.tree(filepath.Join(wd, "testdata"))
	}
	for _, x := range paths("VM_FILES") {
		src, dst, renamed := strings.Cut(x, "=")
		if !renamed {
			dst = src
		}
		c.file(src, dst)
	}
	for _, x := range paths("VM_TREES") {
		c.tree(x)
	}
	return c.close()
}

func setting(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

func paths(name string) []string {
	return strings.FieldsFunc(os.Getenv(name), func(r rune) bool { return r == ':' })
}

func tail(s string, lines int) string {
	l := strings.Split(s, "\n")
	return strings.Join(l[max(0, len(l)-lines):], "\n")
}
