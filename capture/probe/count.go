package probe

import (
	"fmt"

	"trapline/capture/event"
)

// DefaultMaxProbes is how many probes one event may stand for unless more are allowed,
// as with bpftrace.
const DefaultMaxProbes = 1024

// checkCount refuses a pattern that matches more than was expected.
func (r *Resolver) checkCount(ev *event.Event, n int) error {
	most := r.opt.MaxProbes
	if most == 0 {
		most = DefaultMaxProbes
	}
	if n > most {
		return &event.InvalidError{Event: ev.Text, Reason: fmt.Sprintf("%d probes match, and at most %d are allowed: narrow the pattern, or set --max-probes", n, most)}
	}
	return nil
}
