package probe

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"trapline/capture/event"
	"trapline/capture/program"
)

// resolveKernel returns the probe of one kernel function or the probes of all functions
// that match a pattern. resolve returns the probe of one function.
func (r *Resolver) resolveKernel(ev *event.Event, resolve func(*event.Event) (*Probe, error)) ([]Probe, error) {
	if ev.Line != 0 || ev.Source != "" {
		return nil, &event.UnsupportedError{Event: ev.Text, Feature: "lines of the kernel's source", Reason: "this version cannot record them"}
	}
	if ev.Match != event.MatchExact {
		return r.resolveKernelPattern(ev, resolve)
	}
	p, err := resolve(ev)
	variants := r.kernelVariants(ev)
	if len(variants) == 0 || p != nil && p.ForConditions {
		return one(p, err)
	}
	var missing *event.NotFoundError
	switch {
	case err == nil && hasManySites(ev):
		p.join(clones(variants))
	case err == nil:
		p.Notes = append(p.Notes, "without the compiler's variants "+functionNames(variants)+", which only kprobes can probe")
	case errors.As(err, &missing) && hasManySites(ev):
		named := *ev
		named.Name = variants[0].Function
		first, err := resolve(&named)
		if err != nil {
			return nil, err
		}
		if first.ForConditions {
			return nil, missing
		}
		first.Name, first.Sites = kernelProbeName(ev.Syntax, first.Module, ev.Name, 0), []Site{} // there are only variants
		first.join(variants)
		return one(first, nil)
	}
	return one(p, err)
}

// hasManySites reports whether one program can serve several functions.
func hasManySites(ev *event.Event) bool { return !KindOf(ev.Syntax.Kind).AttachTo }

// clones returns the variants that are called instead of their function. The function
// itself calls its parts.
func clones(variants []Site) []Site {
	return slices.DeleteFunc(slices.Clone(variants), func(s Site) bool {
		_, v := program.SplitVariant(s.Function)
		return v != program.Clone
	})
}

func functionNames(sites []Site) string {
	names := make([]string, len(sites))
	for i := range sites {
		names[i] = sites[i].Function
	}
	return strings.Join(names, ", ")
}

// kernelVariants returns the compiler's variants of a function that belong to its probe.
func (r *Resolver) kernelVariants(ev *event.Event) []Site {
	k := r.functions()
	if k == nil || !joinsVariants(ev) {
		return nil
	}
	var variants []Site
	for name, functions := range k.byName {
		if len(name) <= len(ev.Name) || name[len(ev.Name)] != '.' || name[:len(ev.Name)] != ev.Name || len(functions) > 1 {
			continue
		}
		base, v := program.SplitVariant(name)
		f := functions[0]
		if base == ev.Name && v != program.Cold && inModule(ev, f.module) && !r.blacklist()[name] {
			variants = append(variants, Site{Function: name, Address: f.address})
		}
	}
	slices.SortFunc(variants, func(x, y Site) int { return cmp.Compare(x.Function, y.Function) })
	return variants
}

// inModule reports whether an event may mean functions of a module; "" is the core
// kernel.
func inModule(ev *event.Event, module string) bool {
	return ev.Module == "" || ev.Module == module || ev.Module == "vmlinux" && module == ""
}

// paddingPrefix starts the names of the padding before functions: FUNCTION_PADDING in the
// kernel's configuration.
const paddingPrefix = "__pfx_"

// resolveKernelPattern returns a probe for each matching function that ftrace can patch.
// One link cannot attach to any other function.
func (r *Resolver) resolveKernelPattern(ev *event.Event, resolve func(*event.Event) (*Probe, error)) ([]Probe, error) {
	names, err := r.matching(ev)
	if err != nil {
		return nil, err
	}
	if err := r.checkCount(ev, len(names)); err != nil {
		return nil, err
	}
	var probes []Probe
	var left leftOut
	taken := make(map[uint64]bool)
	for _, name := range names {
		named := *ev // it stays a pattern, so that no arguments are added
		named.Name = name
		p, err := resolve(&named)
		if err != nil {
			left.add(err)
			continue
		}
		if p.Address != 0 && taken[p.Address] {
			continue // an alias of a function that has a probe already
		}
		taken[p.Address] = true
		probes = append(probes, *p)
	}
	if len(probes) == 0 {
		return nil, left.first
	}
	probes = joinClones(ev, probes)
	left.note(&probes[0])
	return probes, nil
}

// matching returns, sorted, the names of functions that match a pattern and can be
// probed.
func (r *Resolver) matching(ev *event.Event) ([]string, error) {
	match, err := newMatcher(ev.Match, ev.Name)
	if err != nil {
		return nil, &event.InvalidError{Event: ev.Text, Reason: err.Error()}
	}
	k := r.functions()
	if k == nil {
		return nil, &event.PermissionError{What: ev.Text + ": reading /proc/kallsyms", Need: "root or CAP_SYSLOG"}
	}
	traceable, blacklist := r.traceable(), r.blacklist()
	var names []string
	matched := 0
	for name, functions := range k.byName {
		if _, v := program.SplitVariant(name); v == program.Cold || strings.HasPrefix(name, paddingPrefix) || !match(name) {
			continue
		}
		for _, f := range functions {
			if !inModule(ev, f.module) {
				continue
			}
			matched++
			if traceable.has(name, f.address) && !blacklist[name] {
				names = append(names, name)
				break
			}
		}
	}
	if matched == 0 {
		return nil, &event.NotFoundError{Event: ev.Text, Reason: "no kernel function matches"}
	}
	if len(names) == 0 {
		return nil, &event.UnsupportedError{Event: ev.Text, Reason: "the kernel does not allow probes in the matching functions (they are notrace or blacklisted)",
			Remedy: "probe their callers"}
	}
	slices.Sort(names)
	return names, nil
}

// joinClones turns the probes of clones into sites of the probes of their functions.
func joinClones(ev *event.Event, probes []Probe) []Probe {
	if !hasManySites(ev) || !joinsVariants(ev) {
		return probes
	}
	byName := make(map[string]int)
	for i := range probes {
		byName[probes[i].Function] = i
	}
	variants := make(map[int][]Site)
	joined := make(map[int]bool)
	for i := range probes {
		base, v := program.SplitVariant(probes[i].Function)
		if to, ok := byName[base]; ok && v != program.NoVariant {
			joined[i] = true
			if v == program.Clone {
				variants[to] = append(variants[to], probes[i].AllSites()...)
			}
		}
	}
	var kept []Probe
	for i := range probes {
		if !joined[i] {
			probes[i].join(variants[i])
			kept = append(kept, probes[i])
		}
	}
	return kept
}
