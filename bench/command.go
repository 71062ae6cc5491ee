//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// finished describes a command that has ended.
type finished struct {
	wall, cpu time.Duration // cpu: user and system time, including that of children
	maxRSS    float64       // MiB
	output    string        // standard output; of a watched record, standard error
}

// run runs a command, which must succeed.
func run(name string, args ...string) (finished, error) {
	return runCommand(exec.Command(name, args...))
}

func runCommand(cmd *exec.Cmd) (finished, error) {
	var stdout, stderr bytes.Buffer
	if cmd.Stdout == nil {
		cmd.Stdout = &stdout
	}
	cmd.Stderr = &stderr
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return finished{}, fmt.Errorf("%s: %w\n%s", cmd, err, &stderr)
	}
	return finish(cmd, time.Since(start), stdout.String()), nil
}

func finish(cmd *exec.Cmd, wall time.Duration, output string) finished {
	s := cmd.ProcessState
	return finished{
		wall: wall, cpu: s.UserTime() + s.SystemTime(),
		maxRSS: float64(s.SysUsage().(*syscall.Rusage).Maxrss) / 1024, output: output,
	}
}

// discard runs a command and drops what it prints.
func discard(name string, args ...string) (finished, error) {
	cmd := exec.Command(name, args...)
	cmd.Stdout = io.Discard
	return runCommand(cmd)
}

// startRecord starts record and returns when it has attached its probes. said receives the
// standard error of record, and is complete once record has ended.
func (b *bench) startRecord(args ...string) (rec *exec.Cmd, said *bytes.Buffer, err error) {
	ready, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer ready.Close()
	said = new(bytes.Buffer)
	rec = exec.Command(b.record(), append([]string{"--ready-fd", "3"}, args...)...)
	rec.Stderr, rec.ExtraFiles = said, []*os.File{w}
	err = rec.Start()
	w.Close()
	if err != nil {
		return nil, nil, err
	}
	if n, _ := ready.Read(make([]byte, 1)); n == 0 {
		err := rec.Wait()
		return nil, nil, fmt.Errorf("%s did not attach: %w\n%s", rec, err, said)
	}
	return rec, said, nil
}

// stopRecord interrupts record and waits until it has written its capture.
func stopRecord(rec *exec.Cmd, said *bytes.Buffer) error {
	if err := rec.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	if err := rec.Wait(); err != nil {
		return fmt.Errorf("%s: %w\n%s", rec, err, said)
	}
	return nil
}
