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
	"trapline/internal/symbol"
)

// A recording is what to record, where to, and until when.
type recording struct {
	options  capture.Options
	symbols  *symbol.Kallsyms // nil: hidden
	child    *child           // nil: no command
	output   string
	duration time.Duration // 0: until something else ends it
	ready    *os.File      // nil: nobody waits
	quiet    bool
	verbose  bool
}

// memoryLimit is when the garbage collector stops letting the heap grow, in bytes: with
// what is mapped, record then takes less than 256 MiB. GOMEMLIMIT sets another one.
const memoryLimit = 168 << 20

// startChild starts the command, stopped before its first instruction. With follow it
// and its children are the scope.
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

// record makes the recording and prints its account. It returns the exit code.
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

// capture records until ctx or a signal ends it, the duration or the command is over, the
// processes are gone, or enough hits are recorded.
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
		return nil, outputFailed(fmt.Errorf("%w; the capture holds what was written before", err))
	}
	return summary, nil
}

// properties describe the recording in the head of the capture.
func properties(env cli.Env, target string) []format.Property {
	return append(capture.HostProperties(),
		format.Property{Key: format.KeyCommandLine, Value: shellQuote(append([]string{env.Name}, env.Args...))},
		format.Property{Key: format.KeyToolVersion, Value: cli.Version()},
		format.Property{Key: format.KeyTarget, Value: target})
}
