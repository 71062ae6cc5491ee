package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"trapline/capture"
	"trapline/cmd/internal/cli"
	"trapline/format"
	"trapline/internal/kallsyms"
)

// A recording holds everything one recording needs.
type recording struct {
	options  capture.Options
	symbols  *kallsyms.Symbols // nil if hidden
	child    *child            // nil without a command
	output   string
	duration time.Duration // 0 means no limit
	ready    *os.File      // notified once recording has started; may be nil
	quiet    bool
	verbose  bool
}

// memoryLimit is the soft limit of the Go heap in bytes. It keeps record below 256 MiB
// including its mappings. GOMEMLIMIT overrides it.
const memoryLimit = 168 << 20

// startChild starts the command and stops it before its first instruction. If follow is
// set, the command and its children become the scope.
func (r *recording) startChild(argv []string, follow bool) (err error) {
	r.child, err = startChild(argv, r.output == "-")
	if r.child == nil || err != nil {
		return err
	}
	pid := uint32(r.child.command.PID())
	r.options.Command = pid
	if follow {
		r.options.Scope.PIDs = []uint32{pid}
	}
	return nil
}

// record records and prints the account. It returns the exit code.
func (r *recording) record(ctx context.Context, env cli.Env) (code int, err error) {
	summary, err := r.capture(ctx, env)
	code = r.child.end()
	if err != nil {
		return code, err
	}
	if !r.quiet {
		printAccount(env, summary, r.output)
	}
	if r.verbose {
		printDetails(env, summary)
	}
	return code, nil
}

// capture attaches the probes and records until ctx is done, a signal arrives, the duration
// or the hit limit is reached, or the command or all processes of the scope have exited.
func (r *recording) capture(ctx context.Context, env cli.Env) (*capture.Summary, error) {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	progress := status{line: env.NewProgress()}
	if !r.quiet {
		r.options.Progress = progress.update
	}
	r.options.Live = func() {
		if r.duration > 0 {
			time.AfterFunc(r.duration, cancel)
		}
		notifyReady(env, r.ready)
	}
	recorder := capture.New(r.options, r.symbols)
	defer recorder.Close()
	if err := recorder.Open(); err != nil {
		return nil, err
	}
	if err := recorder.Attach(); err != nil {
		return nil, err
	}
	out, err := openOutput(env, r.output)
	if err != nil {
		return nil, outputFailed(err)
	}
	defer out.Close()
	if pids := r.options.Scope.PIDs; r.child == nil && len(pids) > 0 {
		go cancelWhenGone(ctx, pids, cancel)
	}
	summary, err := recorder.Run(ctx, out, func() error {
		if r.verbose {
			env.Infof("%s attached", count(len(r.options.Probes), "probe"))
		}
		return r.child.run(cancel)
	})
	progress.line.Clear()
	if err == nil {
		err = out.Close()
	}
	if err != nil {
		return nil, outputFailed(fmt.Errorf("%w; the capture holds everything written before", err))
	}
	return summary, nil
}

// properties returns the properties in the header of the capture.
func properties(env cli.Env, target string) []format.Property {
	return append(capture.HostProperties(),
		format.Property{Key: format.KeyCommandLine, Value: shellQuote(append([]string{env.Name}, env.Args...))},
		format.Property{Key: format.KeyToolVersion, Value: cli.Version()},
		format.Property{Key: format.KeyTarget, Value: target})
}
