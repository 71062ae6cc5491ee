package attach

import (
	"cmp"
	"errors"
	"io/fs"

	"github.com/cilium/ebpf"

	"trapline/capture/host"
	"trapline/capture/probe"
)

// Abilities tries each backend of each kind of probe: it attaches a program that does
// nothing and detaches it.
func Abilities() []host.Ability {
	var list []host.Ability
	for _, k := range probe.Kinds() {
		for i := range k.Needs {
			n := &k.Needs[i]
			list = append(list, explainTrial(n, try(k, n)))
		}
	}
	return list
}

// explainTrial explains the result of a trial.
func explainTrial(n *probe.Need, err error) host.Ability {
	a := host.Ability{Name: n.Name, OK: err == nil}
	if err == nil {
		return a
	}
	need := []host.Capability{host.CapBPF, host.CapPerfmon}
	if n.SysAdmin {
		need = append(need, host.CapSysAdmin)
	}
	a.Remedy = n.Remedy
	option := host.Lacks(n.Config...)
	switch {
	case errors.Is(err, host.ErrNoTraceFS):
		a.Reason, a.Remedy = host.ErrNoTraceFS.Error(), "mount -t tracefs tracefs /sys/kernel/tracing"
	case errors.Is(err, errSilentBreakpoints):
		a.Reason, a.Remedy = err.Error(), withoutBreakpoints
	case option != "":
		a.Reason = "the kernel was built without " + option
	case n.Source != "" && !host.HaveEventSource(n.Source) && len(n.Config) == 0:
		a.Reason = "this machine has no such counter; virtual machines often lack them"
	case n.Source != "" && !host.HaveEventSource(n.Source):
		a.Reason = "the kernel was built without " + n.Config[0]
	case host.OlderThan(n.Since):
		a.Reason = "needs Linux " + n.Since
	case errors.Is(err, ebpf.ErrNotSupported) && len(n.Config) > 0:
		a.Reason = "the kernel was built without " + n.Config[0]
	case host.IsDenied(err) && isFile(err):
		a.Reason, a.Remedy = host.EventDenied(append([]host.Capability{host.CapDACReadSearch}, need...)...)
		a.Remedy = cmp.Or(a.Remedy, "mount tracefs so that this user can read it: gid=")
	case host.IsDenied(err):
		reason, remedy := host.EventDenied(need...)
		a.Reason, a.Remedy = reason, cmp.Or(remedy, n.Remedy)
	default:
		a.Reason = err.Error()
	}
	return a
}

func isFile(err error) bool {
	var path *fs.PathError
	return errors.As(err, &path)
}
