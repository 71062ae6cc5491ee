package main

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/cilium/ebpf/btf"

	"trapline/capture"
	"trapline/capture/probe"
	"trapline/cmd/internal/cli"
	"trapline/format"
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
	h.resolver = probe.NewResolver(probe.Options{TraceFS: tracefs, Symbols: h.symbols, BTF: types, PID: pid})
	return h, nil
}

// list prints the events that match a pattern.
func list(env cli.Env, c *config, h *host) int {
	pattern := "*"
	if len(c.command) > 0 {
		pattern = c.command[0]
	}
	w := bufio.NewWriter(env.Stdout)
	found := false
	err := h.resolver.List(pattern, c.verbose > 0, func(l probe.Listing) bool {
		found = true
		fmt.Fprintln(w, l.Name)
		for _, f := range l.Fields {
			fmt.Fprintf(w, "    %s\n", describeField(f))
		}
		return true
	})
	if err != nil {
		w.Flush()
		return env.Fail(exitCode(err), err)
	}
	if err := w.Flush(); err != nil {
		return env.Fail(cli.ExitOutput, err)
	}
	if !found {
		return env.Fail(cli.ExitProbe, fmt.Errorf("-l %s: no event matches", pattern))
	}
	return cli.ExitOK
}

// dryRun prints what would be attached.
func dryRun(env cli.Env, c *config, probes []probe.Probe) int {
	w := bufio.NewWriter(env.Stdout)
	for i := range probes {
		p := &probes[i]
		fmt.Fprintf(w, "%s %s", p.Kind, p.Name)
		if p.Path != "" {
			fmt.Fprintf(w, " at %s+%#x", p.Path, p.Offset)
		}
		fmt.Fprintln(w)
		for _, f := range p.Fields {
			fmt.Fprintf(w, "    %s\n", describeField(f))
		}
	}
	fmt.Fprintf(w, "%s, target: %s\n", count(len(probes), "probe"), c.target())
	if err := w.Flush(); err != nil {
		return env.Fail(cli.ExitOutput, err)
	}
	return cli.ExitOK
}

// describeField writes a field as name:type, in the types of the event grammar.
func describeField(f probe.Field) string {
	var t string
	switch f.Type {
	case format.FieldUint:
		t = fmt.Sprintf("u%d", 8*f.Size)
	case format.FieldInt:
		t = fmt.Sprintf("s%d", 8*f.Size)
	case format.FieldHex, format.FieldPointer:
		t = fmt.Sprintf("x%d", 8*f.Size)
	case format.FieldBool:
		t = "bool"
	case format.FieldChar:
		t = "char"
	case format.FieldString:
		t = "string"
	case format.FieldBytes:
		t = "bytes"
	case format.FieldSymbol:
		t = "symbol"
	}
	if f.Count > 1 {
		t += fmt.Sprintf("[%d]", f.Count)
	}
	return strings.TrimSpace(f.Name + ":" + t)
}
