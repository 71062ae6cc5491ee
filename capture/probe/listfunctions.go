package probe

import (
	"cmp"
	"slices"

	"trapline/capture/event"
)

// A listedFunction is a kernel function as events spell it.
type listedFunction struct {
	module, name string
}

func (f listedFunction) String() string {
	if f.module == "" {
		return f.name
	}
	return f.module + ":" + f.name
}

// matchFunctions returns, sorted, the kernel functions that a pattern matches, with or
// without their module, and that keep accepts.
func (r *Resolver) matchFunctions(s *Selection, keep func(f listedFunction, address uint64) bool) []listedFunction {
	all := r.functions()
	if all == nil {
		return nil
	}
	var found []listedFunction
	for name, functions := range all.byName {
		bare := s.Match(name)
		for _, kf := range functions {
			f := listedFunction{kf.module, name}
			if (bare || f.module != "" && s.Match(f.String())) && keep(f, kf.address) {
				found = append(found, f)
			}
		}
	}
	slices.SortFunc(found, func(a, b listedFunction) int {
		return cmp.Or(cmp.Compare(a.module, b.module), cmp.Compare(a.name, b.name))
	})
	return slices.Compact(found)
}

func (r *Resolver) listKprobes(k *Kind, s *Selection, yield func(Listing) bool) error {
	if !r.havePMU("kprobe") {
		return &event.UnsupportedError{Feature: "kprobes", Reason: "this kernel was built without CONFIG_KPROBES"}
	}
	blacklist := r.blacklist()
	functions := r.matchFunctions(s, func(f listedFunction, _ uint64) bool { return !blacklist[f.name] })
	return r.listFunctions(k, s, functions, yield)
}

func (r *Resolver) listFentry(k *Kind, s *Selection, yield func(Listing) bool) error {
	if r.opt.BTF == nil {
		return &event.UnsupportedError{Feature: k.Name(), Reason: "this kernel has no BTF (CONFIG_DEBUG_INFO_BTF)"}
	}
	known := r.btfNames().functions
	traceable := r.traceable()
	functions := r.matchFunctions(s, func(f listedFunction, address uint64) bool {
		if !traceable.has(f.name, address) {
			return false
		}
		if f.module != "" { // its BTF is read on demand
			return r.moduleTypes(f.module) != nil
		}
		_, ok := slices.BinarySearch(known, f.name)
		return ok
	})
	return r.listFunctions(k, s, functions, yield)
}

func (r *Resolver) listFunctions(k *Kind, s *Selection, functions []listedFunction, yield func(Listing) bool) error {
	for _, f := range functions {
		l := Listing{Kind: k.Kind, Name: k.Name() + ":" + f.String(), Function: f.name}
		if s.Verbose {
			if sig := r.kernel.Function(f.module, f.name); sig != nil {
				l.Fields = sig.Fields(k.AtReturn())
			}
		}
		if !yield(l) {
			break
		}
	}
	return nil
}
