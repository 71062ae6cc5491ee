package probe

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"trapline/capture/event"
	"trapline/capture/program"
	"trapline/capture/value"
	"trapline/internal/symbol"
)

// resolveUserPattern returns a probe for each function that a pattern matches, by its
// linkage name or its C++ or Rust name.
func (r *Resolver) resolveUserPattern(ev *event.Event, b *program.File) ([]Probe, error) {
	match, err := newMatcher(ev.Match, ev.Name)
	if err != nil {
		return nil, &event.InvalidError{Event: ev.Text, Reason: err.Error()}
	}
	all, err := b.Functions()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ev.Text, err)
	}
	found := b.Select(all, func(f *symbol.Function) bool {
		return b.MayBeProbed(f) && (match(f.Name) || program.Mangled(f.Name) && (match(symbol.Demangle(f.Name)) || match(symbol.DemangleName(f.Name))))
	})
	if len(found) == 0 {
		return nil, &event.NotFoundError{Event: ev.Text, Reason: "no function in " + b.Path.Resolved + " matches"}
	}
	if err := r.checkCount(ev, len(found)); err != nil {
		return nil, err
	}
	names := make(map[string]int) // number of functions with the name
	for i := range found {
		names[found[i].Name]++
	}
	var probes []Probe
	var left leftOut
	variants := make(map[string][]Site)
	for i := range found {
		f := &found[i]
		base, v := program.SplitVariant(f.Name)
		if v != program.NoVariant && joinsVariants(ev) && names[base] == 1 {
			if v == program.Clone {
				variants[base] = append(variants[base], Site{Function: f.Name, Offset: f.Offset})
			}
			continue
		}
		p, err := r.functionProbe(ev, b, f, program.DisplayName(f, names[f.Name] > 1))
		if err != nil {
			left.add(err)
			continue
		}
		probes = append(probes, *p)
	}
	if len(probes) == 0 {
		return nil, left.first
	}
	for i := range probes {
		probes[i].join(r.withArguments(ev, b, &probes[i], variants[probes[i].Function]))
	}
	left.note(&probes[0])
	slices.SortStableFunc(probes, func(x, y Probe) int { return cmp.Compare(x.Function, y.Function) })
	return probes, nil
}

// functionProbe returns the probe of one function.
func (r *Resolver) functionProbe(ev *event.Event, b *program.File, f *symbol.Function, name string) (*Probe, error) {
	if ev.Offset > 0 && ev.Offset >= f.Size {
		return nil, &event.InvalidError{Event: ev.Text, Reason: fmt.Sprintf("offset 0x%x is outside the function, which is 0x%x bytes long", ev.Offset, f.Size)}
	}
	if err := b.CheckInstruction(f, ev.Offset); err != nil {
		return nil, &event.InvalidError{Event: ev.Text, Reason: err.Error()}
	}
	if ev.Offset > 0 {
		name += fmt.Sprintf("+0x%x", ev.Offset)
	}
	p, err := r.userProbe(ev, b, name, f.Offset+ev.Offset)
	if err != nil {
		return nil, err
	}
	p.Function = f.Name
	switch {
	case !b.IsGo:
	case ev.Syntax.AtReturn():
		err = p.atReturns(ev, b, f)
	case ev.Offset == 0:
		var skip uint64
		skip, err = b.StackCheck(f)
		p.Offset += skip
	}
	return p, err
}

// functionProbes returns a probe for each function with the event's name, since any of
// them may be meant. Clones are sites of their function's probe. If there are only
// variants, because all calls were inlined or go to clones, they are the sites.
func (r *Resolver) functionProbes(ev *event.Event, b *program.File, functions, variants []symbol.Function) ([]Probe, error) {
	var probes []Probe
	for i := range functions {
		name := ev.Name
		if len(functions) > 1 {
			name += fmt.Sprintf("@0x%x", functions[i].Offset)
		}
		makeProbe := r.functionProbe
		if b.IsIFUNC(&functions[i]) {
			makeProbe = r.indirectProbe
		}
		p, err := makeProbe(ev, b, &functions[i], name)
		if err != nil {
			return nil, err
		}
		probes = append(probes, *p)
	}
	if len(probes) > 0 && probes[0].ForConditions {
		return probes, nil
	}
	var clones []Site
	for i := range variants {
		f := &variants[i]
		if _, v := program.SplitVariant(f.Name); v == program.Clone || len(functions) == 0 {
			clones = append(clones, Site{Function: f.Name, Offset: f.Offset})
		}
	}
	switch {
	case len(functions) == 0:
		p, err := r.userProbe(ev, b, ev.Name, clones[0].Offset)
		if err != nil || p.ForConditions {
			return nil, err
		}
		p.Function = clones[0].Function
		p.Sites = []Site{} // there are only variants
		p.join(r.withArguments(ev, b, p, clones))
		return one(p, nil)
	case len(functions) == 1:
		probes[0].join(r.withArguments(ev, b, &probes[0], clones))
	}
	return probes, nil
}

// withArguments sets what to fetch at variants of a function.
func (r *Resolver) withArguments(ev *event.Event, b *program.File, p *Probe, variants []Site) []Site {
	for i := range variants {
		sc, _ := r.kernel.AtUprobe(ev, value.Place{File: b, Offset: variants[i].Offset}) // the scope is usable despite the error
		variants[i].Fetch = sc.At(&p.Record)
	}
	return variants
}

// indirectProbe returns the probe of an IFUNC, at its implementations.
func (r *Resolver) indirectProbe(ev *event.Event, b *program.File, f *symbol.Function, name string) (*Probe, error) {
	if ev.Offset > 0 {
		return nil, &event.InvalidError{Event: ev.Text, Reason: f.Name + " is an IFUNC: give the offset in one of its implementations"}
	}
	implementations := b.Implementations(f)
	if len(implementations) == 0 {
		return nil, &event.UnsupportedError{Event: ev.Text, Reason: f.Name + " is an IFUNC, which chooses among implementations of a function, and the implementations are not known",
			Remedy: "install debug symbols of " + path.Base(b.Path.Shown) + " and probe the implementation by its name"}
	}
	p, err := r.userProbe(ev, b, name, implementations[0].Offset)
	if err != nil {
		return nil, err
	}
	p.Function = f.Name
	var names []string
	for _, i := range implementations {
		p.Sites = append(p.Sites, Site{Function: i.Name, Offset: i.Offset, Fetch: p.Fetch})
		names = append(names, i.Name)
	}
	p.Notes = append(p.Notes, fmt.Sprintf("%s is an IFUNC: the probe is at the %s it chooses from, which other functions may share: %s",
		f.Name, event.Counted(len(names), "implementation"), strings.Join(names, ", ")))
	return p, nil
}

// atReturns moves a probe to the instructions at which a Go function returns.
func (p *Probe) atReturns(ev *event.Event, b *program.File, f *symbol.Function) error {
	returns, err := b.Returns(f)
	if err != nil {
		return &event.UnsupportedError{Event: ev.Text, Reason: err.Error(), Remedy: "use a uprobe"}
	}
	if len(returns) == 0 {
		return &event.UnsupportedError{Event: ev.Text, Reason: f.Name + " never returns", Remedy: "use a uprobe"}
	}
	for _, at := range returns {
		s := Site{Function: f.Name, Offset: f.Offset + at.Offset, Fetch: p.Fetch}
		if at.Jump {
			s.Fetch = value.WithoutResults(p.Fetch)
		}
		p.Sites = append(p.Sites, s)
	}
	p.AtReturns, p.Offset = true, p.Sites[0].Offset
	p.Entry = f.Offset
	return nil
}
