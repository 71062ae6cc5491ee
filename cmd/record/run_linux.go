package main

import (
	"context"
	"errors"
	"os"

	"trapline/capture"
	"trapline/capture/host"
	"trapline/cmd/internal/cli"
)

// run runs the command and returns its exit code. While it records, SIGINT and SIGTERM end
// the recording cleanly.
func run(ctx context.Context, env cli.Env) int {
	line, done, code := parse(env)
	if done {
		return code
	}
	options, err := line.options()
	if err != nil {
		return env.Usage(err)
	}
	ready, err := line.run.openReady()
	if err != nil {
		return env.Usage(err)
	}
	switch {
	case line.mode.info:
		err = printInfo(env.Stdout)
	case line.mode.list:
		k := readKernel(env, line.verbose)
		patterns := listPatterns(line.operands, line.events.context)
		err = printList(env.Stdout, k.resolver(line, options.Scope.PIDs), patterns, line.verbose)
	default:
		code, err = probeAndRecord(ctx, env, line, options, ready)
	}
	if err != nil {
		return env.Fail(exitCode(err), err)
	}
	return code
}

// probeAndRecord resolves the events and records them, or prints the plan for --dry-run. It
// returns the exit code.
func probeAndRecord(ctx context.Context, env cli.Env, line *commandLine, options capture.Options, ready *os.File) (int, error) {
	if err := checkCPUs(&options.Scope); err != nil {
		return 0, err
	}
	if line.mode.records() {
		if err := checkRights(&line.scope); err != nil {
			return 0, err
		}
	}
	k := readKernel(env, line.verbose)
	resolver := k.resolver(line, options.Scope.PIDs)
	events, err := line.events.parse(defaultEvent)
	if err != nil {
		return 0, err
	}
	found, err := resolve(resolver, events, &line.limits)
	if err != nil {
		return 0, err
	}
	program := ""
	if line.scope.followsCommand() {
		program = line.operands[0]
	}
	target := target(&options.Scope, program)
	if line.mode.dryRun {
		return cli.ExitOK, printPlan(env.Stdout, resolver, found, target)
	}
	for _, e := range found {
		options.Probes = append(options.Probes, e.probes...)
	}
	options.Properties = properties(env, target)
	if !line.quiet {
		hintTracepoints(env, resolver, found)
		printNotes(env, found)
	}
	if err := resolver.Close(); err != nil {
		return 0, err
	}
	if err := checkTasks(&options.Scope); err != nil {
		return 0, err
	}
	r := recording{options: options, symbols: k.symbols, output: line.output.name, duration: line.run.duration,
		ready: ready, quiet: line.quiet, verbose: line.verbose}
	if err := r.startChild(line.operands, program != ""); err != nil {
		return 0, err
	}
	return r.record(ctx, env)
}

// checkRights returns an error if this process cannot record the scope.
func checkRights(scope *scopeFlags) error {
	if err := capture.CheckPrivileges(); err != nil {
		return err
	}
	byNumber := scope.followsCommand() || scope.pids != "" || scope.tids != ""
	if byNumber && host.InPIDNamespace() {
		return usage(errors.New("record runs in a PID namespace and cannot map process IDs to those of the kernel: record system-wide (-a), or run record outside the container"))
	}
	return nil
}
