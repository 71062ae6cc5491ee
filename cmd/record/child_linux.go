package main

import (
	"context"
	"syscall"

	"golang.org/x/sys/unix"

	"trapline/capture"
	"trapline/cmd/internal/cli"
)

// A child is the command of a recording. All methods may be called on nil: there is none.
type child struct {
	command *capture.Command
	ended   chan int // its exit code; nil until it runs
}

// startChild starts a command, stopped before its first instruction.
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

// run lets the command run, and calls then when it has ended.
func (c *child) run(then func()) error {
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
		then()
	}()
	return c.command.Continue()
}

// end returns the command's exit code. It ends the command if the recording ended
// first: that it was killed then says nothing about how it did.
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

// cancelWhenGone ends a recording of processes when the last of them has ended.
// A pidfd (5.3) is readable from then on, whether or not the parent has waited.
func cancelWhenGone(ctx context.Context, pids []uint32, cancel func()) {
	for _, pid := range pids {
		fd, err := unix.PidfdOpen(int(pid), 0)
		if err != nil {
			continue // gone already
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
