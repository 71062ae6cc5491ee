package unwind

// A source reads one kind of unwind information of an image.
type source interface {
	// row returns how to unwind at a linked address. It returns false if the source does
	// not cover the address.
	row(vaddr uint64) (row, bool)
}

// A row says where the caller's registers are at one program counter, like a row of the
// table that call frame information describes (DWARF 5, section 6.4.1). It is not a row
// of the BPF programs (bpf/stacks/rows.h), which is a RuleRange here.
type row struct {
	// kind is RuleStep if the other fields are used. Rows of other kinds only have
	// cfa.offset, which becomes Rule.CFA.
	kind RuleKind
	// signal means that the caller was interrupted: its program counter is not a return
	// address (augmentation S).
	signal bool
	// switches means that the caller is on another stack.
	switches bool
	cfa      cfaRule
	regs     [registers]registerRule
}

// registers is the number of tracked registers: the general ones and the program counter.
const registers = 17

// calleeSaved is the registers that functions preserve (x86-64 psABI, figure 3.4): rbx,
// rbp and r12 to r15. Other registers are unknown unless tables describe them.
const calleeSaved = 1<<3 | 1<<RegFP | 1<<12 | 1<<13 | 1<<14 | 1<<15

// A cfaRule computes the CFA: register plus offset, or an expression.
type cfaRule struct {
	reg        uint8
	offset     int64
	expression []byte
}

// A registerRule recovers a register of the caller (DWARF 5, section 6.4.1).
type registerRule struct {
	kind       ruleKind
	reg        uint8
	offset     int64
	expression []byte
}

type ruleKind uint8

const (
	// ruleUnspecified means that the row does not mention the register. Callee-saved
	// registers keep their values; the stack pointer is the CFA.
	ruleUnspecified ruleKind = iota
	ruleUndefined
	ruleSame
	ruleOffset        // saved at CFA + offset
	ruleValOffset     // is CFA + offset
	ruleRegister      // in another register
	ruleExpression    // saved at the address an expression yields
	ruleValExpression // is the value of an expression
	ruleUnknown       // in a register that is not tracked
)
