/*
 * Single-stepping: with the trap flag set, the processor raises an exception after each
 * instruction, which arrives as SIGTRAP. The handler takes the stack, so the frame
 * outside the signal frame can be at any instruction of the program.
 */
#include <signal.h>
#include <stdlib.h>
#include <ucontext.h>

#include "case.h"

/* In assembly, with exact unwind information: pushf must not overwrite the compiler's red zone. */
__asm__(".text\n"
	".type set_trap_flag, @function\n"
	"set_trap_flag:\n"
	"	.cfi_startproc\n"
	"	pushfq\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	orl $0x100, (%rsp)\n"
	"	popfq\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size set_trap_flag, . - set_trap_flag\n");

#ifdef __cplusplus
extern "C" {
#endif
extern void set_trap_flag(void);
extern char __executable_start[], etext[];

static volatile int stepping;

/* The kernel clears the trap flag for the handler. */
FUNCTION void on_step(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = (ucontext_t *)context;
	char *pc = (char *)uc->uc_mcontext.gregs[REG_RIP];

	(void)sig, (void)info;
	if (!stepping)
		uc->uc_mcontext.gregs[REG_EFL] &= ~0x100;
	/* Libraries execute too many instructions to take the stack at each. */
	else if (pc >= __executable_start && pc < etext)
		TRAP();
	KEEP;
}

FUNCTION void step_on(void)
{
	struct sigaction action;

	__builtin_memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_step;
	action.sa_flags = SA_SIGINFO;
	if (sigaction(SIGTRAP, &action, NULL))
		abort();
	stepping = 1;
	set_trap_flag();
	KEEP;
}

FUNCTION void step_off(void)
{
	stepping = 0;
	KEEP;
}
#ifdef __cplusplus
}
#endif
