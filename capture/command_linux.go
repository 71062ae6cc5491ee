package capture

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// A Command is a started program that is stopped before its first instruction.
type Command struct {
	process *os.Process
	release chan struct{}
	started chan error
}

// StartStopped starts a program and stops it after exec with ptrace(2), before even its
// dynamic linker runs. If the capture is written to standard output, the program's
// standard output is redirected to standard error.
func StartStopped(argv []string, stdoutTaken bool) (*Command, error) {
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", argv[0], errors.Unwrap(err))
	}
	c := &Command{release: make(chan struct{}), started: make(chan error)}
	files := []*os.File{os.Stdin, os.Stdout, os.Stderr}
	if stdoutTaken {
		files[1] = os.Stderr
	}
	go c.trace(path, argv, files)
	if err := <-c.started; err != nil {
		return nil, err
	}
	return c, nil
}

// trace runs on the only thread that may make ptrace requests for the child.
func (c *Command) trace(path string, argv []string, files []*os.File) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	p, err := os.StartProcess(path, argv, &os.ProcAttr{
		Files: files,
		Sys:   &syscall.SysProcAttr{Ptrace: true},
	})
	if err != nil {
		c.started <- err
		return
	}
	c.process = p
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(p.Pid, &status, 0, nil); err != nil {
		c.started <- fmt.Errorf("wait for %s to start: %w", argv[0], err)
		return
	}
	if !status.Stopped() {
		c.started <- fmt.Errorf("%s ended before it could be traced", argv[0])
		return
	}
	c.started <- nil
	<-c.release
	c.started <- syscall.PtraceDetach(p.Pid)
}

// PID returns the process ID.
func (c *Command) PID() int { return c.process.Pid }

// Continue lets the program run.
func (c *Command) Continue() error {
	close(c.release)
	if err := <-c.started; err != nil {
		return fmt.Errorf("start the command: %w", err)
	}
	return nil
}

// Wait waits for the program to end. It returns the exit status, or 128+n if signal n
// killed the program.
func (c *Command) Wait() (int, error) {
	st, err := c.process.Wait()
	if err != nil {
		return 0, err
	}
	if ws, ok := st.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal()), nil
	}
	return st.ExitCode(), nil
}

// Signal sends a signal to the program.
func (c *Command) Signal(s os.Signal) error {
	err := c.process.Signal(s)
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// Kill kills a program that was never continued.
func (c *Command) Kill() {
	c.process.Kill()
	c.process.Wait()
}
