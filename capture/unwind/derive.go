package unwind

import "math"

// rule expresses a row as a Rule, or RuleExact if a Rule cannot express it. vaddr is
// the linked address of the program counter.
func (r *row) rule(vaddr uint64) Rule {
	if r.kind != RuleStep {
		return Rule{Kind: r.kind, CFA: int32(r.cfa.offset)}
	}
	if r.regs[RegIP].kind == ruleUndefined {
		return Rule{Kind: RuleEnd}
	}
	exact := Rule{Kind: RuleExact}
	env := symbolic{vaddr: vaddr}
	cfa := term{base: termRegister, reg: r.cfa.reg, n: uint64(r.cfa.offset)}
	if r.cfa.expression != nil {
		var ok bool
		if cfa, ok = evaluate(r.cfa.expression, env); !ok {
			return exact
		}
	}
	rule := Rule{Kind: RuleStep, Base: cfa.reg, CFA: int32(cfa.n), Interrupted: r.signal, Switch: r.switches}
	distance := cfa.n
	switch {
	case cfa.base == termWord && (cfa.n == 0 || cfa.n == 8):
		distance = cfa.inner
		rule.Deref, rule.BehindWord, rule.CFA = true, cfa.n == 8, int32(distance)
	case cfa.base != termRegister:
		return exact
	}
	if cfa.reg == RegIP || int64(distance) != int64(int32(distance)) {
		return exact
	}
	if sp := r.regs[RegSP]; sp.kind != ruleUnspecified && !(sp.kind == ruleValOffset && sp.offset == 0) {
		return exact
	}
	fp := &r.regs[RegFP]
	if link := r.regs[RegIP]; link.kind == ruleRegister && link.reg != RegSP && link.reg != RegIP &&
		cfa.base == termRegister && cfa.reg == RegSP && (fp.kind == ruleUnspecified || fp.kind == ruleSame) {
		return Rule{Kind: RuleLinkRegister, Base: link.reg, CFA: rule.CFA}
	}
	if at, ok := r.regs[RegIP].location(env, cfa); !ok || at.base != termCFA || int64(at.n) != -8 {
		return exact
	}
	switch fp.kind {
	case ruleUnspecified, ruleSame:
	default:
		at, ok := fp.location(env, cfa)
		if !ok || int64(at.n) < math.MinInt16 || int64(at.n) > math.MaxInt16 {
			return exact
		}
		rule.SavesFP, rule.FP = true, int16(at.n)
		switch {
		case at.base == termCFA:
		case at.base == termRegister && at.reg == RegFP:
			rule.FPFromFP = true
		default:
			return exact
		}
	}
	return rule
}

// location returns where a register is saved, from the CFA if possible.
func (r *registerRule) location(env symbolic, cfa term) (term, bool) {
	switch r.kind {
	case ruleOffset:
		return term{base: termCFA, n: uint64(r.offset)}, true
	case ruleExpression:
		at, ok := evaluate(r.expression, env, term{base: termCFA})
		if at.base == cfa.base && at.reg == cfa.reg && at.inner == cfa.inner {
			return term{base: termCFA, n: at.n - cfa.n}, ok
		}
		return at, ok
	}
	return term{}, false
}

// symbolic is the environment of expressions when only the program counter is known.
type symbolic struct{ vaddr uint64 }

func (s symbolic) register(n uint64) (term, bool) {
	if n == RegIP {
		return term{base: termImage, n: s.vaddr}, true
	}
	return term{base: termRegister, reg: uint8(n)}, n < registers
}

func (s symbolic) load(address term, size uint64) (term, bool) {
	return term{base: termWord, reg: address.reg, inner: address.n}, address.base == termRegister && size == 8
}

func (s symbolic) address(linked uint64) term { return term{base: termImage, n: linked} }
