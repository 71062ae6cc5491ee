package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"trapline/capture"
	machine "trapline/capture/host"
	"trapline/capture/probe"
	"trapline/cmd/internal/cli"
	"trapline/format"
	"trapline/internal/expr"
)

// run is the command. Signals are its own: SIGINT and SIGTERM end a recording cleanly.
func run(ctx context.Context, env cli.Env) int {
	c, done, code := parse(env)
	if done {
		return code
	}
	if c.info {
		return info(env)
	}
	if !c.list && !c.dryRun {
		if err := capture.CheckPrivileges(); err != nil {
			return env.Fail(exitCode(err), err)
		}
	}
	if c.namesTasks() && machine.InPIDNamespace() {
		return env.Fail(cli.ExitUsage, errors.New("in a PID namespace of its own, record cannot tell processes apart as the kernel numbers them: record system-wide (-a), or run it outside of the container"))
	}
	host, err := openHost(env, &c)
	if err != nil {
		return env.Fail(exitCode(err), err)
	}
	if c.list {
		return list(env, &c, host)
	}
	events, err := resolve(&c, host)
	if err != nil {
		return env.Fail(exitCode(err), err)
	}
	for _, e := range events {
		c.limits.limitProbes(e.probes)
		c.opt.Probes = append(c.opt.Probes, e.probes...)
	}
	if c.dryRun {
		return dryRun(env, &c, host, events)
	}
	if !c.quiet {
		hintTracepoints(env, host, events)
		warnNotes(env, events)
	}
	if err := checkTasks(&c); err != nil {
		return env.Fail(exitCode(err), err)
	}
	return record(ctx, env, &c, host)
}

// resolve finds the places that the events name.
func resolve(c *config, host *host) ([]resolved, error) {
	if len(c.events.list)+len(c.events.files) == 0 {
		c.events.event(defaultEvent())
	}
	events, err := c.events.parse()
	if err != nil {
		return nil, err
	}
	if err := c.limits.requireLatency(events); err != nil {
		return nil, err
	}
	var found []resolved
	for _, e := range events {
		probes, err := host.resolver.Resolve(e)
		if err != nil {
			if e.Origin != "" {
				err = fmt.Errorf("%s: %w", e.Origin, err)
			}
			return nil, err
		}
		for i := range probes {
			if c.hz > 0 && probes[i].Kind == format.ProbeTimed {
				probes[i].Frequency = c.hz
			}
		}
		found = append(found, resolved{e, probes})
	}
	return found, nil
}

// defaultEvent is what is sampled when no event is asked for, as perf does.
func defaultEvent() string {
	if machine.HaveCycles() {
		return "cycles"
	}
	return "cpu-clock"
}

// checkTasks makes sure that the processes and threads to be recorded exist.
func checkTasks(c *config) error {
	for _, pid := range c.opt.Scope.PIDs {
		if err := unix.Kill(int(pid), 0); errors.Is(err, unix.ESRCH) {
			return &probe.NotFoundError{Event: fmt.Sprintf("-p %d", pid), Reason: "no such process"}
		}
	}
	for _, tid := range c.opt.Scope.TIDs {
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", tid)); err != nil {
			return &probe.NotFoundError{Event: fmt.Sprintf("-t %d", tid), Reason: "no such thread"}
		}
	}
	return nil
}

// memoryLimit is when the garbage collector stops letting the heap grow, in bytes: with
// what is mapped, record then takes less than 256 MiB. GOMEMLIMIT sets another one.
const memoryLimit = 168 << 20

// record makes the recording.
func record(ctx context.Context, env cli.Env, c *config, host *host) int {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}

	target := c.target()
	var command *capture.Command
	if len(c.command) > 0 {
		var err error
		command, err = capture.StartStopped(c.command, c.output == "-")
		if err != nil {
			return env.Fail(cli.ExitUsage, err)
		}
		c.opt.Command = uint32(command.PID())
		if c.followsCommand() {
			c.opt.Scope.PIDs = []uint32{uint32(command.PID())}
		}
	}
	abandon := func(code int, err error) int {
		if command != nil {
			command.Kill()
		}
		return env.Fail(code, err)
	}
	st := status{line: env.NewProgress()}
	if !c.quiet {
		c.opt.Progress = st.update
	}
	c.opt.Live = func() {
		if c.duration > 0 {
			time.AfterFunc(c.duration, cancel)
		}
		c.sayReady(env)
	}
	c.opt.Properties = append(capture.HostProperties(),
		format.Property{Key: format.KeyCommandLine, Value: shellQuote(append([]string{env.Name}, env.Args...))},
		format.Property{Key: format.KeyToolVersion, Value: cli.Version()},
		format.Property{Key: format.KeyTarget, Value: target})
	r, err := capture.New(c.opt, host.symbols)
	if err != nil {
		return abandon(exitCode(err), err)
	}
	defer r.Close()
	if err := r.Attach(); err != nil {
		return abandon(exitCode(err), err)
	}

	out, err := openOutput(env, c.output)
	if err != nil {
		return abandon(cli.ExitOutput, err)
	}
	defer out.Close()
	ended := make(chan int, 1)
	begin := func() error {
		if c.verbose > 0 {
			env.Infof("%s attached", count(len(c.opt.Probes), "probe"))
		}
		if command == nil {
			return nil
		}
		go func() {
			status, err := command.Wait()
			if err != nil {
				status = cli.ExitUsage
			}
			ended <- status
			cancel()
		}()
		return command.Continue()
	}
	if command == nil && len(c.opt.Scope.PIDs) > 0 {
		go cancelWhenGone(ctx, c.opt.Scope.PIDs, cancel)
	}
	summary, err := r.Run(ctx, out, begin)
	st.line.Clear()
	code := cli.ExitOK
	if command != nil {
		code = endCommand(command, ended)
	}
	if err == nil {
		err = out.Close()
	}
	if err != nil {
		return env.Fail(cli.ExitOutput, fmt.Errorf("%w; the capture holds what was written before", err))
	}
	if !c.quiet {
		summarize(env, c, summary)
	}
	return code
}

// endCommand waits for the command and ends it if the recording ended first: that
// it was killed then says nothing about how it did.
func endCommand(command *capture.Command, ended <-chan int) int {
	select {
	case code := <-ended:
		return code
	default:
	}
	command.Signal(syscall.SIGTERM)
	if code := <-ended; code != 128+int(syscall.SIGTERM) {
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

// exitCode maps an error to CLI exit codes.
func exitCode(err error) int {
	var (
		syntax      *probe.SyntaxError
		notFound    *probe.NotFoundError
		unsupported *probe.UnsupportedError
		permission  *probe.PermissionError
		file        *usageError
		expression  *expr.Error
	)
	switch {
	case errors.As(err, &syntax), errors.As(err, &file), errors.As(err, &expression):
		return cli.ExitUsage
	case errors.As(err, &permission), errors.Is(err, os.ErrPermission):
		return cli.ExitPermission
	case errors.As(err, &notFound), errors.As(err, &unsupported):
		return cli.ExitProbe
	}
	return cli.ExitProbe
}

// shellQuote writes arguments so that a shell reads them back.
func shellQuote(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		if a == "" || strings.ContainsFunc(a, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_=+./:,@%", r))
		}) {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		quoted[i] = a
	}
	return strings.Join(quoted, " ")
}
