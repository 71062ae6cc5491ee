package probe

import "runtime"

// Contexts of kprobes and uprobes are registers: struct pt_regs on x86-64
// (arch/x86/include/asm/ptrace.h), struct user_pt_regs on arm64.

// argumentWords are the words of the registers that the calling convention passes
// arguments in: the System V ABI's for x86-64, which the kernel shares, and AAPCS64.
func argumentWords() []uint8 {
	if runtime.GOARCH == "arm64" {
		return []uint8{0, 1, 2, 3, 4, 5, 6, 7}
	}
	return []uint8{14, 13, 12, 11, 9, 8} // di si dx cx r8 r9
}

// argumentRegisters is how many arguments the calling convention passes in registers.
func argumentRegisters() int { return len(argumentWords()) }

func argumentWord(i int) uint8 { return argumentWords()[i] }

// returnWord is the word of the register that a function's result is in.
func returnWord() uint8 {
	if runtime.GOARCH == "arm64" {
		return 0
	}
	return wordAX
}

// Words of struct pt_regs on x86-64.
const (
	wordR14 = 1
	wordBP  = 4
	wordAX  = 10
	wordDI  = 14
	wordIP  = 16
	wordSP  = 19
)

// maxContextWord is the last word that programs can be asked for.
const maxContextWord = 20
