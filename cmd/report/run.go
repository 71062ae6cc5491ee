package main

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"trapline/cmd/internal/captures"
	"trapline/cmd/internal/cli"
)

func run(ctx context.Context, env cli.Env) int {
	r := &report{env: env}
	flags, questions := newFlags(&r.opt)
	env.Args = joinGraphValues(env.Args)
	if done, code := flags.Parse(env); done {
		return code
	}
	answer, err := r.resolve(flags, questions)
	if err != nil {
		return env.Usage(err)
	}
	inputs, err := captures.Open(ctx, env, r.opt.inputs, r.opt.quiet)
	if err != nil {
		return env.Fail(cli.ExitUsage, err)
	}
	defer inputs.Close()
	r.inputs = inputs
	return r.print(answer)
}

// resolve interprets the flags. It returns the method of the chosen question that
// prints the answer in the requested form.
func (r *report) resolve(flags *cli.Flags, questions []question) (answer func(*report, *bufio.Writer) error, err error) {
	o := &r.opt
	chosen, err := o.choose(flags.Args())
	if err != nil {
		return nil, err
	}
	answer = questions[chosen].text
	if o.json {
		q, ok := questions[chosen].(jsonForm)
		if !ok {
			return nil, fmt.Errorf("--%s has no JSON form; %s", views[chosen].name, views[chosen].instead)
		}
		answer = q.json
	}
	if r.filter, err = o.filter.Parse(); err != nil {
		return nil, err
	}
	if r.graph, err = parseGraph(o.graph); err != nil {
		return nil, err
	}
	for _, q := range questions {
		if err := q.resolve(r); err != nil {
			return nil, err
		}
	}
	return answer, nil
}

// print prints an answer and returns the exit code.
func (r *report) print(answer func(*report, *bufio.Writer) error) int {
	out := &stdout{w: r.env.Stdout}
	w := bufio.NewWriterSize(out, 64<<10)
	err := answer(r, w)
	if err == nil {
		err = w.Flush()
	}
	r.inputs.Progress.Clear()
	switch usage, ok := err.(usageError); {
	case out.err != nil:
		return r.env.Fail(cli.ExitOutput, out.err)
	case ok:
		return r.env.Usage(usage)
	case err != nil:
		return r.env.Fail(cli.ExitUsage, err)
	}
	return cli.ExitOK
}

// A stdout remembers its first error, to distinguish it from errors of reading.
type stdout struct {
	w   io.Writer
	err error
}

func (o *stdout) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if err != nil && o.err == nil {
		o.err = err
	}
	return n, err
}
