package main

import (
	"github.com/cilium/ebpf/btf"

	"trapline/capture"
	"trapline/capture/probe"
	"trapline/cmd/internal/cli"
	"trapline/internal/symbol"
)

// A host is what resolving needs to know of this machine.
type host struct {
	resolver *probe.Resolver
	symbols  *symbol.Kallsyms // nil: hidden
}

func openHost(env cli.Env, c *config) (*host, error) {
	tracefs, mounted, err := capture.TraceFS()
	if err != nil {
		tracefs = "" // tracepoints are then reported as not available
		if c.verbose > 0 {
			env.Warningf("%v", err)
		}
	}
	if mounted && c.verbose > 0 {
		env.Infof("mounted tracefs at %s", tracefs)
	}
	h := &host{}
	if h.symbols, err = capture.ReadKallsyms(); err != nil {
		h.symbols = nil
		if c.verbose > 0 {
			env.Warningf("kernel symbols: %v", err)
		}
	}
	types, err := btf.LoadKernelSpec()
	if err != nil {
		types = nil
	}
	pid := 0
	if len(c.opt.Scope.PIDs) > 0 {
		pid = int(c.opt.Scope.PIDs[0])
	}
	h.resolver = probe.NewResolver(probe.Options{TraceFS: tracefs, Symbols: h.symbols, BTF: types, PID: pid, MaxProbes: c.events.maxProbes, Inlined: c.inlined})
	return h, nil
}
