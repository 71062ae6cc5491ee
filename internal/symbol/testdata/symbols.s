# Symbols whose bounds and bindings exercise the rules for choosing names. The test knows
# the offsets from _start.
	.text
	.p2align 5
	.globl _start
	.type _start, @function
_start:	.fill 16, 1, 0x90
	.size _start, 16
	.fill 16, 1, 0x90

	.globl public
	.type public, @function
	.type private_and_longer, @function
public:
private_and_longer:
	.fill 16, 1, 0x90
	.size public, 16
	.size private_and_longer, 16

	.weak weak_alias_of_it
	.globl strong, stro, __strong_too
	.type strong, @function
	.type stro, @function
	.type __strong_too, @function
	.type weak_alias_of_it, @function
strong:
stro:
__strong_too:
weak_alias_of_it:
	.fill 16, 1, 0x90
	.size strong, 16
	.size stro, 16
	.size __strong_too, 16
	.size weak_alias_of_it, 16

	.globl unsized_but_longer
	.type unsized_but_longer, @function
	.type sized, @function
unsized_but_longer:
sized:	.fill 4, 1, 0x90
inner_label:
	.fill 12, 1, 0x90
	.size sized, 16

	.globl open_ended
open_ended:
	.fill 16, 1, 0x90

	.globl last
	.type last, @function
last:	.fill 16, 1, 0x90

	.section .fini, "ax", @progbits
	.globl other_section
	.type other_section, @function
other_section:
	.fill 16, 1, 0x90

	.data
	.globl datum
datum:	.quad 1
	.globl absolute
	.set absolute, 0x401000
	.section .note.GNU-stack, "", @progbits
