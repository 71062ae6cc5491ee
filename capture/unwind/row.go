package unwind

// A source answers from one kind of unwind information of an image.
type source interface {
	// row returns how to unwind at a virtual address, as linked; false where the source has
	// nothing to say.
	row(vaddr uint64) (row, bool)
}

// A row says where the registers of the caller are, at one program counter.
type row struct {
	// kind is RuleStep where the other fields count. A row of another kind stands
	// for itself, with the number that its Rule has in CFA in cfa.offset.
	kind RuleKind
	// signal: what the caller was doing was interrupted, its program counter is no
	// return address (augmentation S).
	signal bool
	// switches: the caller is on another stack.
	switches bool
	cfa      cfaRule
	regs     [registers]registerRule
}

// registers is how many registers are followed: the general ones and the program counter.
const registers = 17

// A cfaRule is how to compute the CFA: register and offset, or an expression.
type cfaRule struct {
	reg        uint8
	offset     int64
	expression []byte
}

// A registerRule is how to recover a register of the caller (DWARF 5, section 6.4.1).
type registerRule struct {
	kind       ruleKind
	reg        uint8
	offset     int64
	expression []byte
}

type ruleKind uint8

const (
	// ruleUnspecified: nothing is said. Callee-saved registers keep their values;
	// the stack pointer is the CFA.
	ruleUnspecified ruleKind = iota
	ruleUndefined
	ruleSame
	ruleOffset        // saved at CFA + offset
	ruleValOffset     // is CFA + offset
	ruleRegister      // in another register
	ruleExpression    // saved where an expression says
	ruleValExpression // is what an expression says
	ruleUnknown       // in a register that is not followed
)
