package probe

import (
	"errors"
	"fmt"
	"slices"

	"trapline/capture/event"
	"trapline/internal/nearest"
)

// resolveInProcess returns the probes of an event in all files that the process has
// mapped, for events such as uprobe:*:malloc.
func (r *Resolver) resolveInProcess(ev *event.Event) ([]Probe, error) {
	if r.opt.PID == 0 {
		return nil, &event.InvalidError{Event: ev.Text, Reason: "* means all that a process has mapped: name a process (-p), or a program or library"}
	}
	if ev.Name == "" {
		return nil, &event.InvalidError{Event: ev.Text, Reason: "an offset or a line needs a program or library, not *"}
	}
	paths, err := r.files.Mapped()
	if err != nil {
		return nil, err
	}
	var probes []Probe
	missing := &event.NotFoundError{Event: ev.Text, Reason: fmt.Sprintf("no such function in the files that process %d has mapped", r.opt.PID)}
	var other error
	for _, path := range paths {
		in := *ev
		in.Binary = path
		found, err := r.resolveUprobe(&in)
		var none *event.NotFoundError
		switch {
		case err == nil:
			probes = append(probes, found...)
		case errors.As(err, &none):
			missing.Nearest = append(missing.Nearest, none.Nearest...)
		case other == nil:
			other = err
		}
	}
	switch {
	case len(probes) > 0:
		return probes, nil
	case other != nil:
		return nil, other
	}
	slices.Sort(missing.Nearest)
	missing.Nearest = slices.Compact(missing.Nearest)
	missing.Nearest = missing.Nearest[:min(len(missing.Nearest), nearest.Max)]
	return nil, missing
}
