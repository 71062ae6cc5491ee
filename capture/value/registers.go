package value

import (
	"runtime"
	"strconv"
	"strings"
)

// The context of kprobes and uprobes is the registers: struct pt_regs on x86-64
// (arch/x86/include/asm/ptrace.h), struct user_pt_regs on arm64.

// argumentWords returns the words of the registers that pass arguments: the System V ABI
// for x86-64, which the kernel shares, or AAPCS64.
func argumentWords() []uint8 {
	if runtime.GOARCH == "arm64" {
		return []uint8{0, 1, 2, 3, 4, 5, 6, 7}
	}
	return []uint8{wordDI, wordSI, wordDX, wordCX, wordR8, wordR9}
}

// argumentRegisters returns the number of registers that pass arguments.
func argumentRegisters() int { return len(argumentWords()) }

func argumentWord(i int) uint8 { return argumentWords()[i] }

// returnWords returns the words of the result registers. Two of them return results of up
// to 16 bytes.
func returnWords() []uint8 {
	if runtime.GOARCH == "arm64" {
		return []uint8{0, 1}
	}
	return []uint8{wordAX, wordDX}
}

func stackPointerWord() uint8 {
	if runtime.GOARCH == "arm64" {
		return 31
	}
	return wordSP
}

// Words of struct pt_regs on x86-64.
const (
	wordR15 = iota
	wordR14
	wordR13
	wordR12
	wordBP
	wordBX
	wordR11
	wordR10
	wordR9
	wordR8
	wordAX
	wordCX
	wordDX
	wordSI
	wordDI
	wordOrigAX
	wordIP
	wordCS
	wordFlags
	wordSP
	wordSS
)

// maxContextWord is the last word that a program may fetch.
const maxContextWord = wordSS

// A namedRegister is a register that an argument may name: the low size bytes of a word.
type namedRegister struct {
	word, size uint8
}

// x86Registers are the names in the kernel's table (regoffset_table in
// arch/x86/kernel/ptrace.c), without the r.
var x86Registers = []string{"r15", "r14", "r13", "r12", "bp", "bx", "r11", "r10", "r9", "r8",
	"ax", "cx", "dx", "si", "di", "orig_ax", "ip", "cs", "flags", "sp", "ss"}

// findRegister accepts the names of the kernel and of the assembler: rdi, edi.
func findRegister(name string) (namedRegister, bool) {
	if runtime.GOARCH == "arm64" {
		digits, isX := strings.CutPrefix(name, "x")
		digits, isW := strings.CutPrefix(digits, "w")
		n, err := strconv.ParseUint(digits, 10, 8)
		switch {
		case (isX || isW) && err == nil && n <= 30:
			return namedRegister{uint8(n), map[bool]uint8{true: 4, false: 8}[isW]}, true
		case name == "sp":
			return namedRegister{31, 8}, true
		case name == "pc":
			return namedRegister{32, 8}, true
		}
		return namedRegister{}, false
	}
	find := func(name string, size uint8) (namedRegister, bool) {
		for i, n := range x86Registers {
			if n == name {
				return namedRegister{uint8(i), size}, true
			}
		}
		return namedRegister{}, false
	}
	if r, ok := find(name, 8); ok {
		return r, true
	}
	if rest, ok := strings.CutPrefix(name, "r"); ok && len(rest) == 2 {
		return find(rest, 8)
	}
	if rest, ok := strings.CutPrefix(name, "e"); ok && len(rest) == 2 {
		return find(rest, 4)
	}
	if rest, ok := strings.CutSuffix(name, "d"); ok && rest != "r" && strings.HasPrefix(rest, "r") {
		return find(rest, 4)
	}
	return namedRegister{}, false
}

func registerNames() string {
	if runtime.GOARCH == "arm64" {
		return "x0 to x30, w0 to w30, sp and pc"
	}
	return strings.Join(x86Registers, ", ")
}
