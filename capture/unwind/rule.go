package unwind

// A Rule says how to step from a frame to its caller, as far as the walk in the
// BPF programs can express it. It holds at one program counter. The return
// address lies 8 bytes below the CFA; the caller's stack pointer is the CFA.
type Rule struct {
	Kind RuleKind
	Base uint8 // register that CFA counts from, by its DWARF number (psABI, figure 3.36)
	// CFA is the distance of the CFA from the base; with Deref, that of the word that holds the CFA.
	CFA   int32
	Deref bool
	// BehindWord: the CFA is 8 bytes above what that word holds.
	BehindWord bool
	// FP is the distance of the caller's frame pointer from the CFA; with FPFromFP,
	// from this frame's frame pointer. It means something only with SavesFP:
	// otherwise the caller's frame pointer is this frame's.
	FP       int16
	SavesFP  bool
	FPFromFP bool
	// Interrupted: the caller did not call but was interrupted. Its program counter is
	// exact, and its rule that at this address, not at the one before it.
	Interrupted bool
	// Switch: the caller is on another stack, so that its CFA may be the lower one.
	Switch bool
}

// A RuleKind is a way to step from one frame to the next.
type RuleKind uint8

const (
	RuleNone  RuleKind = iota // there is no unwind information
	RuleStep                  // as Rule's fields say
	RuleEnd                   // the outermost frame: there is no caller
	RuleExact                 // unwind information that a Rule cannot express: only Unwind can step on
	// RuleSignal: the frame that returns from a signal handler; the stack pointer
	// points to the kernel's struct rt_sigframe behind its return address.
	RuleSignal
	// RuleGoAsmcgocall: in Go's runtime.asmcgocall, on the system stack. CFA bytes from
	// the stack pointer is the distance of the goroutine's stack pointer from the upper
	// end of its stack, and in the next word the goroutine, whose second word is that
	// end. At the goroutine's stack pointer are the caller's frame pointer, saved, and
	// the return address.
	RuleGoAsmcgocall
	// RuleRegisters: the kernel's struct pt_regs of an interrupted context lies CFA
	// bytes from the base: the caller's program counter and stack pointer are in it,
	// and with SavesFP its frame pointer (else only what the processor pushes is there,
	// and the frame pointer is this frame's).
	RuleRegisters
	// RuleStackSwitch: in code that the kernel runs on another of its stacks. The word
	// at the base is a stack pointer on the stack before; the CFA is CFA bytes above it.
	RuleStackSwitch
	// RuleLinkRegister: the return address is in the register Base, and CFA bytes from the
	// stack pointer is the caller's. The frame pointer is the caller's. Only an innermost
	// frame's registers are known: vfork takes its return address off the stack, which its
	// child will use, and is in the kernel then.
	RuleLinkRegister
)

// DWARF numbers of the x86-64 registers that rules count from most often.
const (
	RegFP = 6  // rbp
	RegSP = 7  // rsp
	RegIP = 16 // the return address column
)

// FramePointerRule steps by the frame pointer, for code without unwind information.
var FramePointerRule = Rule{Kind: RuleStep, Base: RegFP, CFA: 16, FP: -16, SavesFP: true}
