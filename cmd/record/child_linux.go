package main

import (
	"context"
	"syscall"

	"golang.org/x/sys/unix"

	"trapline/capture"
	"trapline/cmd/internal/cli"
)

// A child is the command of a recording. nil means that there is none; all methods accept
// a nil receiver.
type child struct {
	command *capture.Command
	ended   chan int // receives the exit code; nil until the command runs
}

// startChild starts a command and stops it before its first instruction. It returns nil
// if argv is empty.
func startChild(argv []string, stdoutTaken bool) (*child, error) {
	if len(argv) == 0 {
		return nil, nil
	}
	command, err := capture.StartStopped(argv, stdoutTaken)
	if err != nil {
		return nil, usage(err)
	}
	return &child{command: command}, nil
}

// run continues the command and calls done when it has exited.
func (c *child) run(done func()) error {
	if c == nil {
		return nil
	}
	c.ended = make(chan int, 1)
	go func() {
		code, err := c.command.Wait()
		if err != nil {
			code = cli.ExitUsage
		}
		c.ended <- code
		done()
	}()
	return c.command.Continue()
}

// end returns the exit code of the command. If the command still runs, end terminates it
// and does not report that signal as its exit code.
func (c *child) end() int {
	switch {
	case c == nil:
		return cli.ExitOK
	case c.ended == nil:
		c.command.Kill()
		return cli.ExitOK
	}
	select {
	case code := <-c.ended:
		return code
	default:
	}
	c.command.Signal(syscall.SIGTERM)
	if code := <-c.ended; code != cli.ExitSignal+int(syscall.SIGTERM) {
		return code
	}
	return cli.ExitOK
}

// cancelWhenGone calls cancel when all the processes have exited. A pidfd becomes readable
// when its process exits, even if the parent has not waited for it. Requires Linux 5.3.
func cancelWhenGone(ctx context.Context, pids []uint32, cancel func()) {
	for _, pid := range pids {
		fd, err := unix.PidfdOpen(int(pid), 0)
		if err != nil {
			continue // already gone
		}
		for ctx.Err() == nil {
			if n, _ := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 200); n > 0 {
				break
			}
		}
		unix.Close(fd)
	}
	cancel()
}
