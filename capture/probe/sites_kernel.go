package probe

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"trapline/format"
)

// resolveKernel returns the probes of one kernel function, or of all that a pattern
// matches; resolve makes that of one.
func (r *Resolver) resolveKernel(ev *Event, resolve func(*Event) (*Probe, error)) ([]Probe, error) {
	if ev.Match != MatchExact {
		return r.resolveKernelPattern(ev, resolve)
	}
	p, err := resolve(ev)
	variants := r.kernelVariants(ev)
	var missing *NotFoundError
	switch {
	case err == nil && len(variants) > 0 && isKprobe(ev.Kind):
		p.join(clones(variants))
	case err == nil && len(variants) > 0:
		p.Notes = append(p.Notes, "without the compiler's variants "+functionNames(variants)+", which only kprobes can probe")
	case errors.As(err, &missing) && len(variants) > 0 && isKprobe(ev.Kind):
		named := *ev
		named.Name = variants[0].Function
		if p, err = resolve(&named); err == nil {
			p.Name, p.Sites = kernelProbeName(ev.Kind, p.Module, ev.Name, 0), []Site{} // the variants are all there is
			p.join(variants)
		}
	}
	return one(p, err)
}

// isKprobe reports whether a kind needs no description of the function by BTF.
func isKprobe(kind format.ProbeKind) bool {
	return kind == format.ProbeKprobe || kind == format.ProbeKretprobe
}

// clones returns the variants that are called in their function's place. Its parts
// are called by itself, too.
func clones(variants []Site) []Site {
	return slices.DeleteFunc(slices.Clone(variants), func(s Site) bool {
		_, v := splitVariant(s.Function)
		return v != variantClone
	})
}

func functionNames(sites []Site) string {
	names := make([]string, len(sites))
	for i := range sites {
		names[i] = sites[i].Function
	}
	return strings.Join(names, ", ")
}

// kernelVariants returns the compiler's variants of a function that can be probed with it.
func (r *Resolver) kernelVariants(ev *Event) []Site {
	k := r.functions()
	if k == nil || !ev.joinsVariants() {
		return nil
	}
	var variants []Site
	for name, functions := range k.byName {
		if len(name) <= len(ev.Name) || name[len(ev.Name)] != '.' || name[:len(ev.Name)] != ev.Name || len(functions) > 1 {
			continue
		}
		base, v := splitVariant(name)
		f := functions[0]
		if base == ev.Name && v != variantCold && ev.inModule(f.module) && !r.blacklist()[name] {
			variants = append(variants, Site{Function: name, Address: f.address})
		}
	}
	slices.SortFunc(variants, func(x, y Site) int { return cmp.Compare(x.Function, y.Function) })
	return variants
}

// inModule reports whether an event means functions of a module, "" the core kernel.
func (e *Event) inModule(module string) bool {
	return e.Module == "" || e.Module == module || e.Module == "vmlinux" && module == ""
}

// paddingPrefix is that of the names of the bytes before functions: FUNCTION_PADDING
// in the kernel's configuration.
const paddingPrefix = "__pfx_"

// resolveKernelPattern returns a probe for each function that a pattern matches: of those
// that ftrace can patch, since the others are not attached to by one link.
func (r *Resolver) resolveKernelPattern(ev *Event, resolve func(*Event) (*Probe, error)) ([]Probe, error) {
	match, err := newMatcher(ev.Match, ev.Name)
	if err != nil {
		return nil, &InvalidError{ev.Text, err.Error()}
	}
	k := r.functions()
	if k == nil {
		return nil, &PermissionError{What: ev.Text + ": reading /proc/kallsyms", Need: "root or CAP_SYSLOG"}
	}
	traceable, blacklist := r.traceable(), r.blacklist()
	var names []string
	matched := 0
	for name, functions := range k.byName {
		if _, v := splitVariant(name); v == variantCold || strings.HasPrefix(name, paddingPrefix) || !match(name) {
			continue
		}
		for _, f := range functions {
			if !ev.inModule(f.module) {
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
		return nil, &NotFoundError{Event: ev.Text, Reason: "no kernel function matches"}
	}
	if len(names) == 0 {
		return nil, &UnsupportedError{Event: ev.Text, Reason: "the kernel allows no probe of the functions that match (they are notrace, or on the blacklist)",
			Remedy: "probe callers of them"}
	}
	if err := r.checkCount(ev, len(names)); err != nil {
		return nil, err
	}
	slices.Sort(names)
	var probes []Probe
	var left leftOut
	taken := make(map[uint64]bool)
	for _, name := range names {
		named := *ev // still a pattern's: without arguments that it does not ask for
		named.Name = name
		p, err := resolve(&named)
		if err != nil {
			left.add(err)
			continue
		}
		if p.Address != 0 && taken[p.Address] {
			continue // another name of the same function
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

// joinClones makes the compiler's clones of functions among the probes places of their
// functions' probes.
func joinClones(ev *Event, probes []Probe) []Probe {
	if !isKprobe(ev.Kind) || !ev.joinsVariants() {
		return probes
	}
	byName := make(map[string]int)
	for i := range probes {
		byName[probes[i].Function] = i
	}
	variants := make(map[int][]Site)
	joined := make(map[int]bool)
	for i := range probes {
		base, v := splitVariant(probes[i].Function)
		if to, ok := byName[base]; ok && v != variantNone {
			joined[i] = true
			if v == variantClone {
				variants[to] = append(variants[to], probes[i].Places()...)
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
