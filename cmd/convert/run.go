package main

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"strings"
	"syscall"

	"trapline/analysis"
	"trapline/analysis/export"
	"trapline/cmd/internal/cli"
	"trapline/format"
)

func run(ctx context.Context, env cli.Env) int {
	flags, raw := newFlags()
	if done, code := flags.Parse(env); done {
		return code
	}
	o, err := raw.understand(flags.Args(), env.Terminal)
	if err != nil {
		return env.Usage(err)
	}
	if o.list {
		return list(env)
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return convert(ctx, env, &o)
}

func list(env cli.Env) int {
	var b strings.Builder
	for _, f := range export.Formats {
		fmt.Fprintf(&b, "%-11s %-22s %s\n", f.Name, strings.Join(f.Suffixes, " "), f.Help)
	}
	if _, err := env.Stdout.Write([]byte(b.String())); err != nil {
		return env.Fail(cli.ExitOutput, err)
	}
	return cli.ExitOK
}

func convert(ctx context.Context, env cli.Env, o *options) int {
	in, err := openInputs(ctx, env, o)
	if err != nil {
		return env.Fail(cli.ExitUsage, err)
	}
	defer in.close()
	out, err := createOutput(env, o.output, in.files)
	if err != nil {
		return env.Fail(cli.ExitOutput, err)
	}
	defer out.discard()

	o.request.Inputs = in.inputs
	result, err := o.format.Write(out, &o.request)
	in.progress.Clear()
	switch {
	case ctx.Err() != nil:
		return env.Fail(cli.ExitSignal+int(syscall.SIGINT), errors.New("interrupted: nothing was written"))
	case out.err != nil:
		return env.Fail(cli.ExitOutput, fmt.Errorf("write %s: %w", out, out.err))
	case err != nil:
		return env.Fail(cli.ExitUsage, explain(err))
	}
	if err := out.commit(); err != nil {
		return env.Fail(cli.ExitOutput, fmt.Errorf("write %s: %w", out, err))
	}
	if !o.quiet {
		warn(env, result)
	}
	return cli.ExitOK
}

// explain adds what to do about an input that is no capture of ours.
func explain(err error) error {
	var newer *format.VersionError
	switch {
	case errors.As(err, &newer):
		return fmt.Errorf("%w; convert it with a newer trapline", err)
	case errors.Is(err, format.ErrNotCapture):
		return fmt.Errorf("%w; convert reads what record wrote", err)
	}
	return err
}

// warn says what is missing from the output because it is missing from the
// captures.
func warn(env cli.Env, result *analysis.Result) {
	q := &result.Quality
	for _, d := range q.Damage {
		env.Warningf("%s: %d bytes at offset %d are damaged (%s): the hits in them are missing", d.Input, d.Length, d.Offset, d.Reason)
	}
	for _, name := range q.Truncated {
		env.Warningf("%s: ends early: the recording was killed, or the file was cut; all that is whole was converted", name)
	}
	var lost uint64
	for _, a := range q.Accounts {
		for cause, n := range a.Counts {
			if cause.Lost() {
				lost += n
			}
		}
	}
	if lost > 0 {
		env.Warningf("%d hits were lost while recording: report --stats says where and why", lost)
	}
	if q.Hits == 0 {
		env.Warningf("no hits in the captures")
	}
}
