package attach

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// links attach a program to its hooks. They end with the process, even if it crashes.
type links struct {
	links []link.Link
	perf  []int // perf events that links are attached to
}

func (l *links) add(one link.Link) { l.links = append(l.links, one) }

// keep adds a perf event and the link to it.
func (l *links) keep(e attachedEvent) {
	if e.fd >= 0 {
		l.perf = append(l.perf, e.fd)
	}
	if e.link != nil {
		l.links = append(l.links, e.link)
	}
}

// missed returns how often return probes had no free instance. Requires Linux 6.7;
// otherwise 0.
func (l *links) missed() (n uint64) {
	for _, one := range l.links {
		info, err := one.Info()
		if err != nil {
			continue
		}
		if m := info.KprobeMulti(); m != nil {
			n += m.Missed
		}
		if pe := info.PerfEvent(); pe != nil {
			if k := pe.Kprobe(); k != nil {
				n += k.Missed
			}
		}
	}
	return n
}

// close closes all links. Closing waits for the kernel to release the hook, so many are
// closed at a time.
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

// each calls f for 0 to n-1, several at a time.
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
