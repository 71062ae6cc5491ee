package probe

import (
	"fmt"
	"slices"
	"strings"

	"trapline/capture/event"
	"trapline/internal/nearest"
)

// findKernelFunction returns the only function that an event can mean.
func (r *Resolver) findKernelFunction(ev *event.Event) (kernelFunction, error) {
	k := r.functions()
	if k == nil {
		return kernelFunction{module: ev.Module}, nil // attaching will report a missing function
	}
	all := k.byName[ev.Name]
	found := slices.DeleteFunc(slices.Clone(all), func(f kernelFunction) bool {
		return ev.Module != "" && ev.Module != f.module && (ev.Module != "vmlinux" || f.module != "")
	})
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return kernelFunction{}, &event.InvalidError{Event: ev.Text, Reason: ambiguous(found)}
	case len(all) > 0:
		return kernelFunction{}, &event.NotFoundError{Event: ev.Text, Reason: "no such function in module " + ev.Module,
			Nearest: modulesOf(ev.Name, all)}
	}
	e := &event.NotFoundError{Event: ev.Text, Reason: "no such function in the kernel"}
	near := nearest.To(ev.Name)
	moduleLoaded := ev.Module == "" || ev.Module == "vmlinux"
	for name, functions := range k.byName {
		for _, f := range functions {
			if ev.Module != "" && f.module == ev.Module {
				moduleLoaded = true
			}
			if ev.Module == "" || f.module == ev.Module {
				near.Add(name)
				break
			}
		}
	}
	e.Nearest = near.Names()
	if len(e.Nearest) == 0 {
		e.Reason += " (a function that is inlined everywhere has no address)"
	}
	if !moduleLoaded {
		e.Reason = "module " + ev.Module + " is not loaded"
	}
	return kernelFunction{}, e
}

func ambiguous(found []kernelFunction) string {
	modules := modulesOf("", found)
	if len(modules) > 1 {
		return "several functions have this name: write MODULE:FUNCTION, with one of " + strings.Join(modules, ", ")
	}
	return "several functions have this name, and the kernel cannot tell them apart"
}

// modulesOf returns the modules of functions, vmlinux for the core kernel. If name is not
// "", it returns MODULE:NAME instead.
func modulesOf(name string, functions []kernelFunction) []string {
	var list []string
	for _, f := range functions {
		s := f.module
		switch {
		case s == "" && name == "":
			s = "vmlinux"
		case s == "":
			s = name
		case name != "":
			s += ":" + name
		}
		list = append(list, s)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// kernelProbeName spells a probe of a kernel function.
func kernelProbeName(kind *event.Syntax, module, function string, offset uint64) string {
	name := kind.Name() + ":"
	if module != "" {
		name += module + ":"
	}
	name += function
	if offset > 0 {
		name += fmt.Sprintf("+0x%x", offset)
	}
	return name
}

// insteadOf spells the alternative to an event: a probe of another kind at the same
// function.
func insteadOf(ev *event.Event, module string) string {
	kind := KindOf(KindOf(ev.Syntax.Kind).Instead)
	return kernelProbeName(&kind.Syntax, module, ev.Name, 0)
}
