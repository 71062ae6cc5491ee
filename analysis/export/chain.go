package export

import (
	"strconv"

	"trapline/analysis"
)

// A kind is the kind of code that a call in a merged stack is.
type kind uint8

const (
	kindUser kind = iota
	kindKernel
	kindInlined // in user code: what matters of an inlined kernel function is that it is the kernel's
	kindOther   // tasks, and stand-ins for calls that are not known
)

// A step is one call of a stack as the formats that merge stacks by name see it.
type step struct {
	name  string // printable
	image string // base name; "" when none
	kind  kind
}

// A namer turns calls into steps. Equal steps are one pointer.
type namer struct {
	calls map[*analysis.Call]*step
	steps map[step]*step
}

func newNamer() *namer {
	return &namer{calls: map[*analysis.Call]*step{}, steps: map[step]*step{}}
}

func (n *namer) call(c *analysis.Call) *step {
	s, ok := n.calls[c]
	if !ok {
		v := step{name: printable(c.Name()), kind: callKind(c)}
		if c.Image != nil && !c.Truncated {
			v.image = printable(c.Image.Name())
		}
		s = n.intern(v)
		n.calls[c] = s
	}
	return s
}

// marker is a step that is no call.
func (n *namer) marker(name string) *step { return n.intern(step{name: name, kind: kindOther}) }

func (n *namer) intern(v step) *step {
	s, ok := n.steps[v]
	if !ok {
		s = &v
		n.steps[v] = s
	}
	return s
}

// chain appends the steps of a hit to dst, innermost first. Never empty: a hit
// without stacks stands for its probe.
func (n *namer) chain(dst []*step, probe *analysis.Probe, kernel, user *analysis.Stack) []*step {
	for _, stack := range [...]*analysis.Stack{kernel, user} {
		if stack == nil {
			continue
		}
		for _, c := range stack.Calls {
			dst = append(dst, n.call(c))
		}
	}
	if len(dst) == 0 {
		dst = append(dst, n.marker(probeName(probe)))
	}
	return dst
}

func callKind(c *analysis.Call) kind {
	switch {
	case c.Truncated:
		return kindOther
	case c.Kernel:
		return kindKernel
	case c.Inlined:
		return kindInlined
	}
	return kindUser
}

func probeName(p *analysis.Probe) string {
	if p == nil || p.Name == "" {
		return "[unknown probe]"
	}
	return printable(p.Name)
}

// taskName returns the name of a task, or perf's :TID for one without a name.
func taskName(t analysis.Task) string {
	if t.Comm == "" {
		return ":" + strconv.FormatUint(uint64(t.TID), 10)
	}
	return printable(t.Comm)
}

// imagePath returns how lists of frames name an image.
func imagePath(i *analysis.Image) string {
	if i == nil || i.Path == "" {
		return i.Name()
	}
	return i.Path
}
