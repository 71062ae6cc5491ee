package probe

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"trapline/format"
	"trapline/internal/symbol"
)

// A listedFunction is a kernel function by the name that events give it.
type listedFunction struct {
	module, name string
}

func (f listedFunction) String() string {
	if f.module == "" {
		return f.name
	}
	return f.module + ":" + f.name
}

// matchFunctions returns the kernel's functions that a pattern matches, with or
// without their module, and keep accepts; sorted.
func (r *Resolver) matchFunctions(p *listPattern, keep func(f listedFunction, address uint64) bool) []listedFunction {
	k := r.functions()
	if k == nil {
		return nil
	}
	var found []listedFunction
	for name, functions := range k.byName {
		bare := p.glob.match(name)
		for _, kf := range functions {
			f := listedFunction{kf.module, name}
			if (bare || f.module != "" && p.glob.match(f.String())) && keep(f, kf.address) {
				found = append(found, f)
			}
		}
	}
	slices.SortFunc(found, func(a, b listedFunction) int {
		return cmp.Or(cmp.Compare(a.module, b.module), cmp.Compare(a.name, b.name))
	})
	return slices.Compact(found)
}

func (r *Resolver) listKprobes(p *listPattern, kind format.ProbeKind, verbose bool, yield func(Listing) bool) error {
	if !r.havePMU("kprobe") {
		return &UnsupportedError{Feature: "kprobes", Reason: "this kernel was built without CONFIG_KPROBES"}
	}
	blacklist := r.blacklist()
	functions := r.matchFunctions(p, func(f listedFunction, _ uint64) bool { return !blacklist[f.name] })
	return r.listFunctions(functions, kind, verbose, yield)
}

func (r *Resolver) listFentry(p *listPattern, kind format.ProbeKind, verbose bool, yield func(Listing) bool) error {
	if r.opt.BTF == nil {
		return &UnsupportedError{Feature: kind.String(), Reason: "this kernel has no BTF (CONFIG_DEBUG_INFO_BTF)"}
	}
	known := r.btfNames().functions
	traceable := r.traceable()
	functions := r.matchFunctions(p, func(f listedFunction, address uint64) bool {
		if !traceable.has(f.name, address) {
			return false
		}
		if f.module != "" { // its BTF is read when it is asked for
			return r.btf(f.module) != nil
		}
		_, ok := slices.BinarySearch(known, f.name)
		return ok
	})
	return r.listFunctions(functions, kind, verbose, yield)
}

func (r *Resolver) listFunctions(functions []listedFunction, kind format.ProbeKind, verbose bool, yield func(Listing) bool) error {
	ev := Event{Kind: kind}
	for _, f := range functions {
		l := Listing{Kind: kind, Name: kind.String() + ":" + f.String(), Function: f.name}
		if verbose {
			if s := r.functionSignature(f.module, f.name); s != nil {
				l.Fields = s.fields(ev.atReturn())
			}
		}
		if !yield(l) {
			break
		}
	}
	return nil
}

// listUprobes lists the functions of one program or library: BINARY:GLOB.
func (r *Resolver) listUprobes(p *listPattern, kind format.ProbeKind, _ bool, yield func(Listing) bool) error {
	if p.kind == format.ProbeUnknown {
		return nil // every program there is
	}
	ev := Event{Kind: kind, Text: kind.String() + ":" + p.text}
	name, pattern, _ := strings.Cut(p.text, ":")
	if end := quotedEnd(p.text); end > 0 {
		name, _ = unquote(p.text[:end])
		pattern = strings.TrimPrefix(p.text[end:], ":")
	}
	if name == "" || name == "*" {
		return &InvalidError{ev.Text, "give a program or library: " + kind.String() + ":BINARY:GLOB"}
	}
	if pattern == "" {
		pattern = "*"
	}
	g, err := newGlob(pattern)
	if err != nil {
		return &SyntaxError{Text: ev.Text, Pos: strings.Index(ev.Text, pattern), Reason: err.Error()}
	}
	ev.Binary = name
	b, err := r.binary(&ev)
	if err != nil {
		return err
	}
	functions, err := b.functions()
	if err != nil {
		return err
	}
	var names []string
	for i := range functions {
		f := functions[i].Name
		if b.indirect[functions[i].Address] || strings.HasSuffix(f, "@plt") {
			continue
		}
		if mangled(f) {
			f = symbol.Demangle(f)
		}
		if g.match(f) {
			names = append(names, f)
		}
	}
	slices.Sort(names)
	for _, f := range slices.Compact(names) {
		l := Listing{Kind: kind, Name: kind.String() + ":" + quoteBinary(path.Base(b.path.shown)) + ":" + quoteFunction(f)}
		if strings.Contains(name, "/") {
			l.Name = kind.String() + ":" + quoteBinary(name) + ":" + quoteFunction(f)
		}
		if !yield(l) {
			break
		}
	}
	return nil
}
