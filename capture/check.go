package capture

import (
	"trapline/bpf"
)

// check hashes what the stack's hash is of in another way than the programs do (FNV-1a, by words).
func (s *stackEvent) check() uint64 {
	h := uint64(14695981039346656037)
	add := func(v uint64) { h = (h ^ v) * 1099511628211 }
	for i := range s.count {
		if s.kernel {
			add(s.address(i))
			continue
		}
		switch u := s.userFrame(i); {
		case s.relative && !u.known:
			return 0 // what was mapped could not be looked up again
		case s.relative && u.image&bpf.ImageAnonymous == 0:
			add(u.image)
			add(u.offset)
		default:
			add(u.address)
		}
	}
	return h
}
