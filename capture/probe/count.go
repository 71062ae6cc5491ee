package probe

import "fmt"

// DefaultMaxProbes is how many probes one event may stand for unless more are allowed,
// as with bpftrace.
const DefaultMaxProbes = 1024

// checkCount refuses a pattern that matches more than was expected.
func (r *Resolver) checkCount(ev *Event, n int) error {
	most := r.opt.MaxProbes
	if most == 0 {
		most = DefaultMaxProbes
	}
	if n > most {
		return &InvalidError{ev.Text, fmt.Sprintf("%d probes match, and at most %d are allowed: narrow the pattern, or set --max-probes", n, most)}
	}
	return nil
}

// counted writes a number of things.
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
