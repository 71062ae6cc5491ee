package capture

import (
	"trapline/capture/images"
	"trapline/capture/ring"
)

// A codeFinder finds what code lies at an address.
type codeFinder interface {
	// User is asked soon after the hit; the frame holds what the program found
	// mapped. code is false where nothing can be executed.
	User(at images.Moment, f ring.UserFrame) (l images.Location, code bool)
	Kernel(address uint64) images.Location
	// IsEntry reports whether a kernel frame belongs to how probes are called, not to what called them.
	IsEntry(l images.Location) bool
}

// code finds it on this machine. It implements codeFinder.
type code struct {
	user   *images.UserSpace
	kernel *images.Kernel
}

func (c *code) User(at images.Moment, f ring.UserFrame) (images.Location, bool) {
	return c.user.Find(at, f)
}
func (c *code) Kernel(address uint64) images.Location { return c.kernel.Find(address) }
func (c *code) IsEntry(l images.Location) bool        { return c.kernel.IsEntry(l) }
