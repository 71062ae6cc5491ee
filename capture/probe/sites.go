package probe

// A Site is one place that a probe is attached to.
type Site struct {
	Function   string  // kernel function, or symbol of the program
	Offset     uint64  // kernel: bytes from Function; user: file offset of the instruction
	Address    uint64  // of Function in the kernel; 0: not known
	RefCounter uint64  // file offset of the count that switches a USDT probe on; 0: none
	Fetch      []Fetch // read here, one for each of Probe.Fetch
}

// Places returns where the probe is to be attached, one place at least.
func (p *Probe) Places() []Site {
	if len(p.Sites) > 0 {
		return p.Sites
	}
	return []Site{{Function: p.Function, Offset: p.Offset, Address: p.Address, Fetch: p.Fetch}}
}
