package main

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"strings"
	"syscall"

	"trapline/analysis/export"
	"trapline/cmd/internal/captures"
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
	in, err := captures.Open(ctx, env, o.inputs, o.quiet)
	if ctx.Err() != nil {
		return interrupted(env)
	}
	if err != nil {
		return env.Fail(cli.ExitUsage, err)
	}
	defer in.Close()
	out, err := createOutput(env, o.output, in.Files)
	if err != nil {
		return env.Fail(cli.ExitOutput, err)
	}
	defer out.discard()

	o.request.Inputs = in.List
	summary, err := o.format.Write(out, &o.request)
	in.Progress.Clear()
	switch {
	case ctx.Err() != nil:
		return interrupted(env)
	case out.err != nil:
		return env.Fail(cli.ExitOutput, writeError(out.name, out.err))
	case err != nil:
		return env.Fail(cli.ExitUsage, err)
	}
	if err := out.commit(); err != nil {
		return env.Fail(cli.ExitOutput, writeError(out.name, err))
	}
	if !o.quiet {
		warn(env, summary)
	}
	return cli.ExitOK
}

func interrupted(env cli.Env) int {
	return env.Fail(cli.ExitSignal+int(syscall.SIGINT), errors.New("interrupted"))
}

// warn says what is missing from the output because the captures lack it.
func warn(env cli.Env, s *export.Summary) {
	captures.Warn(env, &s.Quality)
	switch {
	case s.Quality.Hits == 0:
		env.Warningf("the captures contain no hits: the output is empty")
	case s.Hits == 0:
		env.Warningf("none of the %d hits pass the filters: the output is empty", s.Quality.Hits)
	}
}
