/*
 * ends makes system calls below code at which a stack must not end without a mark, or
 * where its outermost frames are hard to find.
 *
 *   ends lost       below code without unwind information and with a frame pointer of 0
 *   ends undefined  below code whose unwind information says that it has no caller
 *   ends returns    below code that returns to address 0
 *   ends leader     in a thread whose process's first thread has ended, until killed
 *   ends alternate  in the handler of a signal, on an alternate stack, from new places
 *   ends redzone    returns 100 times from keeps()
 *   ends large      below a frame of 20 KiB, in a thread, from new places
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FUNCTION __attribute__((noipa))
#define KEEP __asm__ volatile("" : : : "memory")
#define SYS_trap 121 /* getpgid */

FUNCTION void trap(void)
{
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "0"((long)SYS_trap), "D"(0L) : "rcx", "r11", "memory");
}

/* Both call trap() with a frame pointer of 0. */
void lost(void), undefined(void), returns(void);
__asm__(".text\n"
	".globl lost\n"
	".type lost, @function\n"
	"lost:	push %rbp\n"
	"	xor %ebp, %ebp\n"
	"	call trap\n"
	"	pop %rbp\n"
	"	ret\n"
	".size lost, . - lost\n"
	".globl undefined\n"
	".type undefined, @function\n"
	"undefined:\n"
	"	.cfi_startproc\n"
	"	.cfi_undefined rip\n"
	"	push %rbp\n"
	"	xor %ebp, %ebp\n"
	"	call trap\n"
	"	pop %rbp\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size undefined, . - undefined\n"
	/* its tables put the return address where there is a 0 */
	".globl returns\n"
	".type returns, @function\n"
	"returns:\n"
	"	.cfi_startproc\n"
	"	push $0\n"
	"	push $0\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	call trap\n"
	"	add $16, %rsp\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size returns, . - returns\n");

/* Calls trap() at n places: each is new, so that there is no rule for it. */
#define ONE   trap(); KEEP;
#define EIGHT ONE ONE ONE ONE ONE ONE ONE ONE
FUNCTION void places(void) { EIGHT EIGHT EIGHT EIGHT }

static void handler(int signal) { places(); KEEP; (void)signal; }

FUNCTION void interrupted(void) { raise(SIGUSR1); KEEP; }

static void alternate(void)
{
	static char room[65536];
	stack_t stack = { .ss_sp = room, .ss_size = sizeof(room) };
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_ONSTACK };

	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &action, NULL);
	interrupted();
	KEEP;
}

FUNCTION void large(void)
{
	volatile char room[20000];

	memset((char *)room, 1, sizeof(room));
	places();
	room[0] = room[1];
}

FUNCTION int keeps(int a)
{
	if (a == -1)
		return 3;
	trap();
	return a + 1;
}

FUNCTION int calls_keeps(int a)
{
	volatile int room[4] = { a };

	return keeps(room[0]) + room[0];
}

static void *thread(void *mode)
{
	if (!strcmp(mode, "large")) {
		large();
		return NULL;
	}
	for (;;) {
		trap();
		usleep(1000);
	}
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	pthread_t t;

	if (!strcmp(mode, "lost"))
		lost();
	else if (!strcmp(mode, "undefined"))
		undefined();
	else if (!strcmp(mode, "returns"))
		returns();
	else if (!strcmp(mode, "alternate"))
		alternate();
	else if (!strcmp(mode, "redzone"))
		for (int i = 0; i < 100; i++)
			calls_keeps(i);
	else if (!pthread_create(&t, NULL, thread, (void *)mode)) {
		if (!strcmp(mode, "leader"))
			pthread_exit(NULL);
		pthread_join(t, NULL);
	}
	return 0;
}
