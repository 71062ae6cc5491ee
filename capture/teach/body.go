package teach

import (
	"trapline/bpf"
	"trapline/capture/images"
	"trapline/capture/unwind"
)

// A ruleBody is a rule as BPF programs read it (bpf/stacks/rules.h). 0 means no rule.
type ruleBody uint64

const (
	ruleDeref       = 1 << 9
	ruleSavesFP     = 1 << 10
	ruleFPFromFP    = 1 << 11
	ruleGuessed     = 1 << 12
	ruleInterrupted = 1 << 13
	ruleSwitch      = 1 << 14
	ruleBehindWord  = 1 << 15
)

// ruleKinds maps unwind.RuleKind to enum rule_kind.
var ruleKinds = [...]ruleBody{
	unwind.RuleStep: 1, unwind.RuleEnd: 2, unwind.RuleExact: 3, unwind.RuleSignal: 4,
	unwind.RuleGoAsmcgocall: 5, unwind.RuleRegisters: 6, unwind.RuleStackSwitch: 7, unwind.RuleLinkRegister: 8,
}

// exactRule stops a walk: the rest of the stack must be unwound in user space.
const exactRule ruleBody = 3

// guessRule is the rule of code without unwind information.
var guessRule = encodeRule(unwind.FramePointerRule) | ruleGuessed

// encodeRule encodes a rule. It returns 0 for [unwind.RuleNone].
func encodeRule(r unwind.Rule) ruleBody {
	if int(r.Kind) >= len(ruleKinds) {
		return exactRule
	}
	b := ruleKinds[r.Kind]
	if b == 0 {
		return 0
	}
	b |= ruleBody(r.Base&31)<<4 | ruleBody(uint16(r.FP))<<16 | ruleBody(uint32(r.CFA))<<32
	for _, f := range []struct {
		set bool
		bit ruleBody
	}{{r.Deref, ruleDeref}, {r.SavesFP, ruleSavesFP}, {r.FPFromFP, ruleFPFromFP}, {r.Interrupted, ruleInterrupted}, {r.Switch, ruleSwitch},
		{r.BehindWord, ruleBehindWord}} {
		if f.set {
			b |= f.bit
		}
	}
	return b
}

// ruleKey returns the key of a place in an image.
func ruleKey(image, offset uint64) uint64 { return images.Mix(image, offset) }

// kernelRuleKey returns the key of a kernel address.
func kernelRuleKey(address uint64) uint64 { return images.Mix(bpf.KernelImage, address) }
