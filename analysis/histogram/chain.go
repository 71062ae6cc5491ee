package histogram

import (
	"trapline/analysis"
)

// maxChain bounds the depth of trees, since a file may contain stacks of any depth.
const maxChain = 4096

// A chain is the calls of a hit that count, innermost first.
type chain struct {
	kernel, user []*analysis.Call
	beyond       *analysis.Call // nil if nothing was left out
}

// newChain returns the calls of a sample: at most the given number, or all if it is
// 0. beyond replaces the calls that are left out.
func newChain(s *analysis.Sample, most int, beyond *analysis.Call) chain {
	left := maxChain
	if most > 0 {
		left = min(left, most)
	}
	var c chain
	take := func(st *analysis.Stack) []*analysis.Call {
		if st == nil {
			return nil
		}
		calls := st.Calls
		if len(calls) > left {
			calls, c.beyond = calls[:left], beyond
		}
		left -= len(calls)
		return calls
	}
	c.kernel = take(s.Kernel)
	c.user = take(s.User)
	return c
}

func (c *chain) len() int {
	n := len(c.kernel) + len(c.user)
	if c.beyond != nil {
		n++
	}
	return n
}

func (c *chain) at(i int) *analysis.Call {
	if i < len(c.kernel) {
		return c.kernel[i]
	}
	if i -= len(c.kernel); i < len(c.user) {
		return c.user[i]
	}
	return c.beyond
}
