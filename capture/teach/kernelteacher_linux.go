package teach

import (
	"trapline/capture/ring"
	"trapline/capture/unwind"
)

// A kernelTeacher writes rules for the return addresses on kernel stacks.
type kernelTeacher struct {
	orc    *unwind.ORC
	rules  *ruleTable
	taught map[uint64]bool // addresses whose rule is written
}

// maxTaught limits the remembered addresses. Others are taught again.
const maxTaught = 1 << 16

// teach writes the rules of the addresses on a stack.
func (k *kernelTeacher) teach(s *ring.Stack) {
	if len(k.taught) > maxTaught {
		clear(k.taught)
	}
	interrupted := true // the first address may be that of the probe
	for i := range s.Count {
		address := s.Address(i)
		if interrupted {
			k.teachAt(address, s.Again)
		}
		r := k.teachAt(address-1, s.Again)
		interrupted = r.Kind == unwind.RuleRegisters
	}
}

func (k *kernelTeacher) teachAt(address uint64, again bool) unwind.Rule {
	r := k.orc.Rule(address)
	if k.taught[address] && !again {
		return r
	}
	k.taught[address] = true
	body := encodeRule(r)
	if body == 0 {
		body = exactRule
	}
	k.rules.write(kernelRuleKey(address), body)
	return r
}
