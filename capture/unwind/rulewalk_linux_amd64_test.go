package unwind_test

import (
	"bytes"
	"os"
	"testing"

	"trapline/capture/unwind"
)

// A ruleCache holds the rules of images by path.
type ruleCache map[string]*unwind.Image

func (p *tracee) rule(t *testing.T, address uint64) unwind.Rule {
	m := p.mapping(address)
	if m == nil {
		return unwind.Rule{}
	}
	if p.rules[m.path] == nil {
		var b []byte
		var err error
		if m.path == "[vdso]" {
			b = make([]byte, m.end-m.start)
			_, err = p.mem.ReadAt(b, int64(m.start))
		} else {
			b, err = os.ReadFile(m.path)
		}
		if err == nil {
			p.rules[m.path], err = unwind.ReadImage(bytes.NewReader(b))
		}
		if err != nil {
			t.Fatalf("%s: %v", m.path, err)
		}
	}
	return p.rules[m.path].Rule(address - m.start + m.offset)
}

// walk unwinds the stack with nothing but rules, as the BPF programs do.
func (p *tracee) walk(t *testing.T) (addresses []uint64) {
	r := &p.regs
	pc, sp, fp, back := r.Rip, r.Rsp, r.Rbp, uint64(0)
	for len(addresses) < 200 {
		addresses = append(addresses, pc)
		rule := p.rule(t, pc-back)
		base := [...]uint64{unwind.RegFP: fp, unwind.RegSP: sp, 3: r.Rbx, 10: r.R10, 12: r.R12, 13: r.R13, 16: 0}[rule.Base]
		cfa := base + uint64(int64(rule.CFA))
		switch rule.Kind {
		case unwind.RuleStep:
			if rule.Deref {
				cfa = p.word(cfa)
			}
			if rule.BehindWord {
				cfa += 8
			}
		case unwind.RuleLinkRegister:
			if len(addresses) > 1 {
				return addresses
			}
			pc, sp, back = base, sp+uint64(int64(rule.CFA)), 1
			continue
		case unwind.RuleSignal:
			// struct ucontext's registers: arch/x86/include/uapi/asm/sigcontext.h
			pc, fp, back = p.word(sp+168), p.word(sp+120), 0
			sp = p.word(sp + 160)
			continue
		case unwind.RuleGoAsmcgocall:
			depth, g := p.word(sp+uint64(int64(rule.CFA))), p.word(sp+uint64(int64(rule.CFA))+8)
			cfa = p.word(g+8) - depth + 16
			rule.SavesFP, rule.FP = true, -16
		default:
			return addresses
		}
		if cfa <= sp && !rule.Switch && rule.Kind == unwind.RuleStep {
			return addresses
		}
		if rule.SavesFP {
			at := cfa
			if rule.FPFromFP {
				at = fp
			}
			fp = p.word(at + uint64(int64(rule.FP)))
		}
		pc, sp, back = p.word(cfa-8), cfa, 1
		if rule.Interrupted {
			back = 0
		}
	}
	return addresses
}
