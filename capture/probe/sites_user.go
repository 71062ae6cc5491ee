package probe

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"trapline/format"
	"trapline/internal/symbol"
)

// resolveUserPattern returns a probe for each function that a pattern matches, by its
// linkage name or as C++ and Rust spell it.
func (r *Resolver) resolveUserPattern(ev *Event, b *binaryFile) ([]Probe, error) {
	match, err := newMatcher(ev.Match, ev.Name)
	if err != nil {
		return nil, &InvalidError{ev.Text, err.Error()}
	}
	all, err := b.functions()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ev.Text, err)
	}
	found := b.filter(all, func(f *symbol.Function) bool {
		return b.mayBeProbed(f) && (match(f.Name) || mangled(f.Name) && (match(symbol.Demangle(f.Name)) || match(symbol.DemangleName(f.Name))))
	})
	if len(found) == 0 {
		return nil, &NotFoundError{Event: ev.Text, Reason: "no function in " + b.path.resolved + " matches"}
	}
	if err := r.checkCount(ev, len(found)); err != nil {
		return nil, err
	}
	names := make(map[string]int) // how many functions have it
	for i := range found {
		names[found[i].Name]++
	}
	var probes []Probe
	var left leftOut
	variants := make(map[string][]Site)
	for i := range found {
		f := &found[i]
		base, v := splitVariant(f.Name)
		if v != variantNone && ev.joinsVariants() && names[base] == 1 {
			if v == variantClone {
				variants[base] = append(variants[base], Site{Function: f.Name, Offset: f.Offset})
			}
			continue
		}
		p, err := r.functionProbe(ev, b, f, displayName(f, names[f.Name] > 1))
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
		probes[i].join(b.withArguments(ev, &probes[i], variants[probes[i].Function]))
	}
	left.note(&probes[0])
	slices.SortStableFunc(probes, func(x, y Probe) int { return cmp.Compare(x.Function, y.Function) })
	return probes, nil
}

// mayBeProbed reports whether a function's entry is a place that is called.
func (b *binaryFile) mayBeProbed(f *symbol.Function) bool {
	_, v := splitVariant(f.Name)
	return v != variantCold && !b.indirect[f.Address] && !strings.HasSuffix(f.Name, "@plt") && b.holdsCode(f.Offset)
}

func displayName(f *symbol.Function, ambiguous bool) string {
	name := f.Name
	if mangled(name) {
		name = symbol.Demangle(name)
	}
	if ambiguous {
		name += fmt.Sprintf("@0x%x", f.Offset)
	}
	return name
}

// functionProbe makes the probe of one function of a program.
func (r *Resolver) functionProbe(ev *Event, b *binaryFile, f *symbol.Function, name string) (*Probe, error) {
	if err := b.check(ev, f); err != nil {
		return nil, err
	}
	if ev.Offset > 0 {
		name += fmt.Sprintf("+0x%x", ev.Offset)
	}
	p, err := userProbe(ev, b, name, f.Offset+ev.Offset)
	if err != nil {
		return nil, err
	}
	p.Function = f.Name
	if b.isGo && ev.Kind == format.ProbeUprobe && ev.Offset == 0 {
		skip, err := b.behindStackCheck(f)
		if err != nil {
			return nil, err
		}
		p.Offset += skip
	}
	if b.isGo && ev.Kind == format.ProbeUretprobe {
		err = b.atReturns(ev, p, f)
	}
	return p, err
}

// functionProbes makes the probes of the functions that have one name: one for each,
// as nothing tells which is meant. The compiler's clones of a function belong to its
// probe. Where there are only variants, as when all calls were inlined or go to
// clones, they are what is probed.
func (r *Resolver) functionProbes(ev *Event, b *binaryFile, functions, variants []symbol.Function) ([]Probe, error) {
	var probes []Probe
	for i := range functions {
		name := ev.Name
		if len(functions) > 1 {
			name += fmt.Sprintf("@0x%x", functions[i].Offset)
		}
		makeProbe := r.functionProbe
		if b.indirect[functions[i].Address] {
			makeProbe = r.indirectProbe
		}
		p, err := makeProbe(ev, b, &functions[i], name)
		if err != nil {
			return nil, err
		}
		probes = append(probes, *p)
	}
	var clones []Site
	for i := range variants {
		f := &variants[i]
		if _, v := splitVariant(f.Name); v == variantClone || len(functions) == 0 {
			clones = append(clones, Site{Function: f.Name, Offset: f.Offset})
		}
	}
	switch {
	case len(functions) == 0:
		p, err := userProbe(ev, b, ev.Name, clones[0].Offset)
		if err != nil {
			return nil, err
		}
		p.Function = clones[0].Function
		p.Sites = []Site{} // the variants are all there is
		p.join(b.withArguments(ev, p, clones))
		return one(p, nil)
	case len(functions) == 1:
		probes[0].join(b.withArguments(ev, &probes[0], clones))
	}
	return probes, nil
}

// variantsOf returns the compiler's variants of a function that are called.
func (b *binaryFile) variantsOf(name string) []symbol.Function {
	all, err := b.functions()
	if err != nil {
		return nil
	}
	return b.filter(all, func(f *symbol.Function) bool {
		base, v := splitVariant(f.Name)
		return base == name && (v == variantClone || v == variantPart)
	})
}

// join adds places of variants to a probe that has one place, and says so.
func (p *Probe) join(variants []Site) {
	if len(variants) == 0 {
		return
	}
	if p.Sites == nil {
		p.Sites = p.Places()
	}
	names := make([]string, len(variants))
	for i, s := range variants {
		if s.Fetch == nil {
			s.Fetch = p.variantFetchUntyped()
		}
		p.Sites = append(p.Sites, s)
		names[i] = s.Function
	}
	p.Notes = append(p.Notes, "with the compiler's variants "+strings.Join(names, ", "))
}

// leftOut counts what a pattern matched and cannot be probed.
type leftOut struct {
	n     int
	first error
}

func (l *leftOut) add(err error) {
	l.n++
	if l.first == nil {
		l.first = err
	}
}

// note puts it into a probe's notes.
func (l *leftOut) note(p *Probe) {
	if l.n > 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("%d functions that match cannot be probed; the first: %v", l.n, l.first))
	}
}
