package teach

import (
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"testing"

	"trapline/bpf"
	"trapline/capture/unwind"
	"trapline/internal/testenv"
)

// find looks a rule up as BPF programs do.
func (r *ruleTable) find(key uint64) ruleBody {
	for _, w := range r.sets[key>>(64-bpf.RuleSetBits)].Way {
		if w.Body != 0 && w.Body^w.Tag == key {
			return ruleBody(w.Body)
		}
	}
	return 0
}

func inMemory() *ruleTable {
	return &ruleTable{sets: make([]bpf.HooksRuleSet, 1<<bpf.RuleSetBits)}
}

// A rule is found until another replaces it. A full set replaces and counts one rule for
// each new one.
func TestRuleTable(t *testing.T) {
	r := inMemory()
	random := rand.New(rand.NewPCG(1, 5))
	written := make(map[uint64]ruleBody)
	for range 100_000 {
		// Use few sets so that they fill up.
		key := random.Uint64N(8)<<(64-bpf.RuleSetBits) | random.Uint64N(6)<<8
		body := ruleBody(1 + random.Uint64N(3))
		r.write(key, body)
		if got := r.find(key); got != body {
			t.Fatalf("rule %d of %#x was just written, and is %d", body, key, got)
		}
		written[key] = body
	}
	there := 0
	for key, body := range written {
		switch r.find(key) {
		case 0:
		case body:
			there++
		default:
			t.Errorf("%#x has a rule that was replaced", key)
		}
	}
	if there != 8*bpf.RuleWays {
		t.Errorf("%d rules are there, want all of %d", there, 8*bpf.RuleWays)
	}
	if r.evicted == 0 || r.evicted >= r.written {
		t.Errorf("%d written, %d made room", r.written, r.evicted)
	}
}

func TestRuleIsWrittenOnce(t *testing.T) {
	r := inMemory()
	for range 10 {
		r.write(1<<63, 7)
	}
	if r.written != 1 || r.evicted != 0 {
		t.Errorf("%d written, %d made room", r.written, r.evicted)
	}
}

// constantsOf returns the constants RULE_* of a C header by name.
func constantsOf(t *testing.T, path string) map[string]uint64 {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	constants := make(map[string]uint64)
	for _, m := range regexp.MustCompile(`(?m)^\s+(RULE_\w+) = (\d+)(?: << (\d+))?,`).FindAllStringSubmatch(string(source), -1) {
		n, _ := strconv.ParseUint(m[2], 10, 64)
		shift, _ := strconv.Atoi(m[3])
		constants[m[1]] = n << shift
	}
	return constants
}

// The constants of rules are those of bpf/stacks/rules.h.
func TestRuleConstants(t *testing.T) {
	testenv.Host(t)
	c := constantsOf(t, "../../bpf/stacks/rules.h")
	for name, want := range map[string]ruleBody{
		"RULE_STEP": ruleKinds[unwind.RuleStep], "RULE_END": ruleKinds[unwind.RuleEnd], "RULE_EXACT": exactRule,
		"RULE_SIGNAL": ruleKinds[unwind.RuleSignal], "RULE_GO_ASMCGOCALL": ruleKinds[unwind.RuleGoAsmcgocall],
		"RULE_REGISTERS": ruleKinds[unwind.RuleRegisters], "RULE_STACK_SWITCH": ruleKinds[unwind.RuleStackSwitch],
		"RULE_LINK_REGISTER": ruleKinds[unwind.RuleLinkRegister], "RULE_DEREF": ruleDeref, "RULE_SAVES_FP": ruleSavesFP,
		"RULE_FP_FROM_FP": ruleFPFromFP, "RULE_GUESSED": ruleGuessed, "RULE_INTERRUPTED": ruleInterrupted,
		"RULE_SWITCH": ruleSwitch, "RULE_BEHIND_WORD": ruleBehindWord,
	} {
		if got, ok := c[name]; !ok || ruleBody(got) != want {
			t.Errorf("%s is %#x (found: %t), encoded as %#x", name, got, ok, want)
		}
	}
}

// Rules are encoded as bpf/stacks/rules.h decodes them.
func TestEncodeRule(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 5))
	for range 1000 {
		rule := unwind.Rule{Kind: unwind.RuleStep, Base: uint8(random.IntN(17)), FP: int16(random.Uint32()), CFA: int32(random.Uint32()),
			Deref: random.IntN(2) == 0, SavesFP: random.IntN(2) == 0}
		b := encodeRule(rule)
		decoded := unwind.Rule{Kind: unwind.RuleStep, Base: uint8(b >> 4 & 31), FP: int16(b >> 16), CFA: int32(b >> 32),
			Deref: b&ruleDeref != 0, SavesFP: b&ruleSavesFP != 0}
		if b&15 != ruleKinds[unwind.RuleStep] || decoded != rule {
			t.Fatalf("%+v is encoded as %#x: %+v", rule, b, decoded)
		}
	}
	if b := encodeRule(unwind.Rule{}); b != 0 {
		t.Errorf("no rule is encoded as %#x", b)
	}
	const framePointerRule = 16<<32 | 0xfff0<<16 | ruleGuessed | ruleSavesFP | 6<<4 | 1 // FRAME_POINTER_RULE
	if guessRule != framePointerRule {
		t.Errorf("code without unwind information has %#x, want %#x", guessRule, uint64(framePointerRule))
	}
}
