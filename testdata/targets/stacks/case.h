/*
 * A case runs code whose user stack is known by construction. CASE defines one with its
 * stack, functions with the innermost first, which internal/e2e parses:
 *
 *   name          a function
 *   name*3        three of them
 *   name|other    either name, for functions of libraries whose name varies
 *   @libc.so.6    a function of an image whose name begins so; followed by + one or more, by * any number
 *   ?             an address outside any file
 *
 * Semicolons separate the stacks of a case. Each must be observed, and no others but
 * outer parts of these, while the case calls its functions.
 */
#ifndef CASE_H
#define CASE_H

#ifdef __cplusplus
extern "C" {
#endif

/* Prevents inlining and optimizations across calls, with gcc and clang at every level. */
#ifdef __clang__
#define FUNCTION __attribute__((noinline))
#else
#define FUNCTION __attribute__((noipa))
#endif

enum casekind {
	PLAIN,	 /* run once */
	STEPPED, /* run again, with a stack at each instruction of the program */
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

/* The callers of a case. internal/e2e knows the callers of main. */
#define BELOW " run main"

/* The frame that returns from a signal handler. */
#define SIGRETURN "__restore_rt|@libc.so.6|@stacks"

/* Follows a call so that it is not a tail call. */
#define KEEP __asm__ volatile("" : : : "memory")

/* Arguments of SYS_trap: 0 takes the stack; these, larger than any process group, start and end a case. */
#define CASE_NUMBER(n) (0x40000000 + (n))
#define CASE_END 0x3fffffff

/* A system call with one argument that libraries do not use. */
#define SYS_trap 121 /* getpgid */

#define raw_syscall(number, a, b, c) ({							\
	long ret_;									\
	__asm__ volatile("syscall" : "=a"(ret_)						\
			 : "0"((long)(number)), "D"((long)(a)), "S"((long)(b)), "d"((long)(c))	\
			 : "rcx", "r11", "memory");					\
	ret_; })

/* Takes the stack. Inline assembly makes the enclosing function the innermost one. */
#define TRAP() ((void)raw_syscall(SYS_trap, 0, 0, 0))

/* Takes the stack at each instruction after step_on returns, by single-stepping. */
void step_on(void);
void step_off(void);

extern volatile int sink;

#ifdef __cplusplus
}
#endif
#endif
