package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"

	"trapline/capture/attach"
	"trapline/capture/event"
	"trapline/capture/host"
	"trapline/capture/probe"
	"trapline/cmd/internal/cli"
	"trapline/internal/kallsyms"
)

// A kernel holds the kernel's descriptions of itself that this user may read.
type kernel struct {
	tracefs string            // "" if not mounted
	symbols *kallsyms.Symbols // nil if hidden
	types   *btf.Spec         // nil if the kernel has none
}

// readKernel reads what is available. Missing information only matters to the events that
// need it, so readKernel just warns about it, and only if verbose.
func readKernel(env cli.Env, verbose bool) kernel {
	var k kernel
	warn := func(what string, err error) {
		if err != nil && verbose {
			env.Warningf("%s%v", what, err)
		}
	}
	tracefs, mounted, err := host.TraceFS()
	if err == nil {
		k.tracefs = tracefs
	}
	if mounted && verbose {
		env.Infof("mounted tracefs at %s", tracefs)
	}
	warn("", err)
	if k.symbols, err = host.ReadKallsyms(); err != nil {
		k.symbols = nil
	}
	warn("kernel symbols: ", err)
	if k.types, err = btf.LoadKernelSpec(); err != nil {
		k.types = nil
	}
	return k
}

// resolver returns a resolver for the scope with these processes.
func (k *kernel) resolver(c *commandLine, pids []uint32) *probe.Resolver {
	opt := probe.Options{TraceFS: k.tracefs, Symbols: k.symbols, BTF: k.types, MaxProbes: c.maxProbes, Inlined: c.inlined}
	if len(pids) > 0 {
		opt.PID = int(pids[0])
	}
	return probe.NewResolver(opt)
}

// A resolved event is an event with its probes on this machine.
type resolved struct {
	event  event.Event
	probes []probe.Probe
}

// resolve returns the events with their probes, and sets the limits of the probes.
func resolve(r *probe.Resolver, events []event.Event, limits *limitFlags) ([]resolved, error) {
	if err := limits.requireLatency(events); err != nil {
		return nil, err
	}
	var found []resolved
	for _, e := range events {
		probes, err := r.Resolve(e)
		if err == nil {
			limits.apply(probes)
			err = limits.checkSampling(probes, host.MaxSampleRate())
		}
		if err != nil {
			if e.Origin != "" {
				err = fmt.Errorf("%s: %w", e.Origin, err)
			}
			return nil, err
		}
		found = append(found, resolved{e, probes})
	}
	return found, nil
}

// defaultEvent returns the event to sample if none is given, as perf does.
func defaultEvent() string {
	if host.HaveCycles() {
		return "cycles"
	}
	return "cpu-clock"
}

// checkTasks returns an error if a process or thread of the scope does not exist.
func checkTasks(scope *attach.Scope) error {
	for _, pid := range scope.PIDs {
		if err := unix.Kill(int(pid), 0); errors.Is(err, unix.ESRCH) {
			return &event.NotFoundError{Event: fmt.Sprintf("-p %d", pid), Reason: "no such process"}
		}
	}
	for _, tid := range scope.TIDs {
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", tid)); err != nil {
			return &event.NotFoundError{Event: fmt.Sprintf("-t %d", tid), Reason: "no such thread"}
		}
	}
	return nil
}

// checkCPUs returns an error if a CPU of the scope is not online. Nothing could be
// recorded there.
func checkCPUs(scope *attach.Scope) error {
	online, err := host.OnlineCPUs()
	if err != nil {
		return nil // recording will tell
	}
	for _, cpu := range scope.CPUs {
		if !slices.Contains(online, cpu) {
			return usage(fmt.Errorf("-C %d: CPU %d is not online; online: %s", cpu, cpu, ranges(online)))
		}
	}
	return nil
}
