package main

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"strings"
	"syscall"

	"trapline/analysis/export"
	"trapline/cmd/internal/cli"
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
	summary, err := o.format.Write(out, &o.request)
	in.progress.Clear()
	switch {
	case ctx.Err() != nil:
		return env.Fail(cli.ExitSignal+int(syscall.SIGINT), errors.New("interrupted"))
	case out.err != nil:
		return env.Fail(cli.ExitOutput, writeError(out.name, out.err))
	case err != nil:
		return env.Fail(cli.ExitUsage, in.explain(err))
	}
	if err := out.commit(); err != nil {
		return env.Fail(cli.ExitOutput, writeError(out.name, err))
	}
	if !o.quiet {
		warn(env, summary)
	}
	return cli.ExitOK
}

// warn says what is missing from the output because it is missing from the
// captures.
func warn(env cli.Env, s *export.Summary) {
	q := &s.Quality
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
	switch {
	case q.Hits == 0:
		env.Warningf("there are no hits in what was read: the output is empty")
	case s.Hits == 0:
		env.Warningf("none of the %d hits pass the filters: the output is empty", q.Hits)
	}
}
