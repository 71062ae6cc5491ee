/*
 * A case runs code whose user stack is known by construction. CASE defines one and
 * says its stack: functions, innermost first, as internal/e2e reads them.
 *
 *   name          a function
 *   name*3        the same three times
 *   name|other    either name, for what libraries call differently
 *   @libc.so.6    some function of an image whose name begins so; with a + behind it, one or more, with a * any number
 *   ?             an address that is in no file
 *
 * A semicolon separates several stacks of one case. Each must be seen, and no other
 * one, but for those that are the outer part of one: while the case calls its functions.
 */
#ifndef CASE_H
#define CASE_H

#ifdef __cplusplus
extern "C" {
#endif

/* -O0 and up, gcc and clang: every function is there, and nothing is known of its callers. */
#ifdef __clang__
#define FUNCTION __attribute__((noinline))
#else
#define FUNCTION __attribute__((noipa))
#endif

enum casekind {
	PLAIN,	 /* run once */
	STEPPED, /* and once more, with a stack taken at each instruction of the program */
};

struct stackcase {
	const char *name, *stacks;
	void (*run)(void);
	enum casekind kind;
} __attribute__((aligned(32)));

#define CASE(kind, name, stacks)							\
	FUNCTION void name(void);							\
	__attribute__((used, section("cases")))						\
	static struct stackcase case_##name = { #name, stacks, name, kind };		\
	FUNCTION void name(void)

/* What called the case; internal/e2e knows who calls main. */
#define BELOW " run main"

/* The frame that returns from a signal handler. */
#define SIGRETURN "__restore_rt|@libc.so.6|@stacks"

/* Behind a call, so that it is no tail call. */
#define KEEP __asm__ volatile("" : : : "memory")

/* Arguments of SYS_trap: 0 takes the stack; these, larger than any process group, begin a case and end it. */
#define CASE_NUMBER(n) (0x40000000 + (n))
#define CASE_END 0x3fffffff

/* The least known system call of one argument: libraries do not make it. */
#define SYS_trap 121 /* getpgid */

#define raw_syscall(number, a, b, c) ({							\
	long ret_;									\
	__asm__ volatile("syscall" : "=a"(ret_)						\
			 : "0"((long)(number)), "D"((long)(a)), "S"((long)(b)), "d"((long)(c))	\
			 : "rcx", "r11", "memory");					\
	ret_; })

/* Takes the stack, by inline assembly: the innermost function is the one it stands in. */
#define TRAP() ((void)raw_syscall(SYS_trap, 0, 0, 0))

/* Takes the stack at each instruction from step_on's return on, by single-stepping. */
void step_on(void);
void step_off(void);

extern volatile int sink;

#ifdef __cplusplus
}
#endif
#endif
