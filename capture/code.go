package capture

import (
	"trapline/capture/images"
	"trapline/capture/ring"
)

// A codeFinder finds the code at an address.
type codeFinder interface {
	// User locates a user frame soon after the hit. The frame contains what the BPF
	// program found mapped. code is false if no code can be at its address.
	User(at images.Moment, f ring.UserFrame) (l images.Location, code bool)
	// Kernel locates a kernel address.
	Kernel(address uint64) images.Location
	// IsEntry reports whether a kernel frame lies between a hook and its program.
	IsEntry(l images.Location) bool
}

// code finds code on this machine. It implements codeFinder.
type code struct {
	user   *images.UserSpace
	kernel *images.Kernel
}

func (c *code) User(at images.Moment, f ring.UserFrame) (images.Location, bool) {
	return c.user.Find(at, f)
}
func (c *code) Kernel(address uint64) images.Location { return c.kernel.Find(address) }
func (c *code) IsEntry(l images.Location) bool        { return c.kernel.IsEntry(l) }
