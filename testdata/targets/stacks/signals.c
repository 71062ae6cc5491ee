/* Signal handlers, on the interrupted stack and on an alternate stack. */
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "case.h"

static void handle(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action;

	__builtin_memset(&action, 0, sizeof(action));
	action.sa_sigaction = handler;
	action.sa_flags = SA_SIGINFO | flags;
	if (sigaction(signal, &action, NULL))
		abort();
}

/* The signal arrives when the system call returns. */
#define RAISE(signal) raw_syscall(SYS_tgkill, raw_syscall(SYS_getpid, 0, 0, 0), raw_syscall(SYS_gettid, 0, 0, 0), signal)

FUNCTION void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)info, (void)context;
	TRAP();
}

FUNCTION int raises(int a)
{
	volatile int kept[8];

	kept[a & 7] = a;
	RAISE(SIGUSR1);
	return kept[a & 7];
}

CASE(PLAIN, signaled, "on_signal " SIGRETURN " raises signaled" BELOW)
{
	handle(SIGUSR1, on_signal, 0);
	sink = raises(sink);
}

CASE(PLAIN, signaled_alternate, "on_signal " SIGRETURN " raises signaled_alternate" BELOW)
{
	static char room[65536];
	stack_t stack = { .ss_sp = room, .ss_size = sizeof(room) }, none = { .ss_flags = SS_DISABLE };

	if (sigaltstack(&stack, NULL))
		abort();
	handle(SIGUSR1, on_signal, SA_ONSTACK);
	/* The recorder learns from the first stacks where this one continues, which takes a moment. */
	for (int i = 0; i < 50; i++) {
		sink = raises(sink);
		usleep(1000);
	}
	sigaltstack(&none, NULL);
	KEEP;
}

FUNCTION void on_outer_signal(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)info, (void)context;
	sink = raises(sink);
}

FUNCTION int raises_other(int a)
{
	RAISE(SIGUSR2);
	return a + 1;
}

CASE(PLAIN, signaled_twice,
     "on_signal " SIGRETURN " raises on_outer_signal " SIGRETURN " raises_other signaled_twice" BELOW)
{
	handle(SIGUSR1, on_signal, 0);
	handle(SIGUSR2, on_outer_signal, 0);
	sink = raises_other(sink);
}

/*
 * In a frame that a signal interrupted, the program counter is not a return address. Here
 * it is the first instruction of a function; the instruction before belongs to another
 * function with a different frame.
 */
__asm__(".text\n"
	".globl illegal\n"
	".type before_illegal, @function\n"
	"before_illegal:\n"
	"	.cfi_startproc\n"
	"	subq $72, %rsp\n"
	"	.cfi_adjust_cfa_offset 72\n"
	"	ud2\n"
	"	.cfi_endproc\n"
	".size before_illegal, . - before_illegal\n"
	".type illegal, @function\n"
	"illegal:\n"
	"	.cfi_startproc\n"
	"	ud2\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size illegal, . - illegal\n");
extern void illegal(void);

FUNCTION void on_illegal(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig, (void)info;
	TRAP();
	uc->uc_mcontext.gregs[REG_RIP] += 2;
}

CASE(PLAIN, signaled_at_entry, "on_illegal " SIGRETURN " illegal signaled_at_entry" BELOW)
{
	handle(SIGILL, on_illegal, 0);
	illegal();
	KEEP;
}
