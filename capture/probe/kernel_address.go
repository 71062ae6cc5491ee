package probe

import (
	"fmt"

	"trapline/format"
	"trapline/internal/symbol"
)

// byFunction returns an event at an address in the kernel as one at an offset in the
// function there, which is how it is attached, checked and shown; others as they are.
func (r *Resolver) byFunction(ev *Event) (*Event, error) {
	if ev.Name != "" || ev.Kind != format.ProbeKprobe {
		return ev, nil
	}
	if r.opt.Symbols == nil {
		return nil, &PermissionError{What: "looking for the function at " + fmt.Sprintf("0x%x", ev.Offset) + " in /proc/kallsyms", Need: "CAP_SYSLOG, or 0 in /proc/sys/kernel/kptr_restrict"}
	}
	a, ok := r.opt.Symbols.Resolve(ev.Offset)
	if !ok || a.Image == symbol.KernelBPF {
		return nil, &NotFoundError{Event: ev.Text, Reason: "no function of the kernel is at this address"}
	}
	named := *ev
	named.Name, named.Module, named.Offset = a.Symbol, a.Name, a.SymbolOffset
	return &named, nil
}
