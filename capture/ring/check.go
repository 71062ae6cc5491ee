package ring

import (
	"trapline/bpf"
)

// Check returns a second hash of what Hash covers, computed differently (FNV-1a over
// words). Two stacks with equal hashes but different checks collide. 0 means that the
// check cannot be computed.
func (s *Stack) Check() uint64 {
	h := uint64(14695981039346656037)
	add := func(v uint64) { h = (h ^ v) * 1099511628211 }
	for i := range s.Count {
		if s.Kernel {
			add(s.Address(i))
			continue
		}
		switch u := s.UserFrame(i); {
		case s.Relative && !u.Known:
			return 0 // the mapping could not be looked up again
		case s.Relative && u.Image&bpf.ImageAnonymous == 0:
			add(u.Image)
			add(u.Offset)
		default:
			add(u.Address)
		}
	}
	return h
}
