package attach

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// links tie a program to its hooks. All of it goes with the process: nothing is left
// behind after a crash.
type links struct {
	links []link.Link
	perf  []int // perf events that links hang on
}

func (l *links) add(one link.Link) { l.links = append(l.links, one) }

// keep takes in a perf event and the link that hangs on it.
func (l *links) keep(e attachedEvent) {
	if e.fd >= 0 {
		l.perf = append(l.perf, e.fd)
	}
	if e.link != nil {
		l.links = append(l.links, e.link)
	}
}

// missed is how many calls of return probes the kernel skipped, for want of a free instance.
func (l *links) missed() (n uint64) {
	for _, one := range l.links {
		info, err := one.Info()
		if err != nil {
			continue
		}
		if m := info.KprobeMulti(); m != nil {
			n += m.Missed // 6.7
		}
		if pe := info.PerfEvent(); pe != nil {
			if k := pe.Kprobe(); k != nil {
				n += k.Missed // 6.7
			}
		}
	}
	return n
}

// close ends the hits. Each link and event waits for the kernel to let go of what
// it probed, so many are closed at the same time.
func (l *links) close() error {
	errs := make([]error, len(l.links)+len(l.perf))
	each(len(errs), func(i int) {
		if i < len(l.links) {
			errs[i] = l.links[i].Close()
		} else {
			errs[i] = unix.Close(l.perf[i-len(l.links)])
		}
	})
	l.links, l.perf = nil, nil
	return errors.Join(errs...)
}

// each calls f with 0 to n-1, several at a time.
func each(n int, f func(int)) {
	const workers = 32
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, workers) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}
