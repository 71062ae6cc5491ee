package unwind

// A Rule says how the BPF programs step from a frame to its caller. It holds at one
// program counter. The return address is 8 bytes below the CFA; the caller's stack pointer
// is the CFA.
type Rule struct {
	Kind RuleKind
	Base uint8 // base register of CFA, by its DWARF number (psABI, figure 3.36)
	// CFA is the offset of the CFA from the base or, with Deref, of the word that holds the CFA.
	CFA   int32
	Deref bool
	// BehindWord means that the CFA is 8 bytes above the value of that word.
	BehindWord bool
	// FP is the offset of the caller's saved frame pointer from the CFA or, with
	// FPFromFP, from this frame's frame pointer. It is used only with SavesFP; without
	// it, the caller's frame pointer is this frame's.
	FP       int16
	SavesFP  bool
	FPFromFP bool
	// Interrupted means that the caller was interrupted rather than calling. Its program
	// counter is exact: the rule at that address applies, not at the one before.
	Interrupted bool
	// Switch means that the caller is on another stack, so its CFA may be lower.
	Switch bool
}

// A RuleKind is a way to step to the caller.
type RuleKind uint8

const (
	RuleNone  RuleKind = iota // no unwind information
	RuleStep                  // by Rule's fields
	RuleEnd                   // the outermost frame
	RuleExact                 // more than a Rule can express: only Unwind can step
	// RuleSignal is the frame that returns from a signal handler. The stack pointer
	// points into the kernel's struct rt_sigframe, after its return address.
	RuleSignal
	// RuleGoAsmcgocall is Go's runtime.asmcgocall on the system stack. The word CFA bytes
	// above the stack pointer is the distance of the goroutine's stack pointer from the
	// upper end of its stack. The next word is the goroutine, whose second word is that
	// end. At the goroutine's stack pointer are the caller's saved frame pointer and the
	// return address.
	RuleGoAsmcgocall
	// RuleRegisters is the kernel's struct pt_regs of an interrupted context, CFA bytes
	// from the base. It holds the caller's program counter and stack pointer and, with
	// SavesFP, its frame pointer. Without SavesFP, only the words that the processor
	// pushes are there, and the frame pointer is this frame's.
	RuleRegisters
	// RuleStackSwitch is code that the kernel runs on another of its stacks. The word at
	// the base is a stack pointer on the previous stack; the CFA is CFA bytes above it.
	RuleStackSwitch
	// RuleLinkRegister is a frame with its return address in the register Base. The
	// caller's stack pointer is CFA bytes above this one; the frame pointer is the
	// caller's. It works for innermost frames only, whose registers are known: vfork pops
	// its return address, since the child will use the stack, and enters the kernel.
	RuleLinkRegister
)

// DWARF numbers of x86-64 registers.
const (
	RegFP = 6  // rbp
	RegSP = 7  // rsp
	RegIP = 16 // the return address column
)

// FramePointerRule steps by the frame pointer. It is for code without unwind information.
var FramePointerRule = Rule{Kind: RuleStep, Base: RegFP, CFA: 16, FP: -16, SavesFP: true}
