package teach

import "trapline/capture/unwind"

// registers returns the registers of a struct pt_regs (arch/x86/include/asm/ptrace.h) by
// DWARF number.
func registers(regs *[21]uint64) *unwind.Registers {
	r := &unwind.Registers{Known: 1<<17 - 1}
	for i, n := range [...]int{
		0: 10, 1: 12, 2: 11, 3: 5, 4: 14, 5: 13, 6: 4, 7: 19, // rax rdx rcx rbx rsi rdi rbp rsp
		8: 9, 9: 8, 10: 7, 11: 6, 12: 3, 13: 2, 14: 1, 15: 0, 16: 16,
	} {
		r.Value[i] = regs[n]
	}
	return r
}
