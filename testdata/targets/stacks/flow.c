/* Control flow in functions: late prologues, tail calls, calls that do not return, cold parts. */
#include <setjmp.h>

#include "case.h"

/* Compilers save registers only where they are used, after the early return. */
FUNCTION int shrunk(volatile int *p)
{
	if (*p == 0) {
		TRAP();
		return 1;
	}
	int a = p[1], b = p[2], c = p[3];
	for (int i = 0; i < 2; i++)
		a += p[i];
	TRAP();
	__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c) : : "rbx", "r12", "memory");
	return a + b + c;
}

CASE(STEPPED, shrunk_early, "shrunk shrunk_early" BELOW)
{
	int values[4] = { 0, 1, 2, 3 };

	sink = shrunk(values);
}

CASE(STEPPED, shrunk_late, "shrunk shrunk_late" BELOW)
{
	int values[4] = { 1, 1, 2, 3 };

	sink = shrunk(values);
}

/* A function that ended in a tail call is not on the stack. */
#ifdef __clang__
#define TAIL __attribute__((musttail)) return
#else
#define TAIL return
#endif

FUNCTION int tail_last(int a)
{
	TRAP();
	return a + 1;
}

FUNCTION int tail_middle(int a)
{
	__asm__ volatile("" : : : "rbx", "r12", "memory");
	TRAP();
	TAIL tail_last(a * 2);
}

FUNCTION int tail_first(int a)
{
	volatile int kept[20];

	for (int i = 0; i < 20; i++)
		kept[i] = a;
	TRAP();
	TAIL tail_middle(kept[3]);
}

#if defined(__clang__) || OPTIMIZE >= 2
CASE(STEPPED, calls_tail, "tail_last calls_tail" BELOW "; tail_middle calls_tail" BELOW "; tail_first calls_tail" BELOW)
#else
CASE(STEPPED, calls_tail, "tail_last tail_middle tail_first calls_tail" BELOW "; tail_middle tail_first calls_tail" BELOW
     "; tail_first calls_tail" BELOW)
#endif
{
	sink = tail_first(sink);
}

static jmp_buf back;

FUNCTION __attribute__((noreturn)) void never_returns(int a)
{
	sink = a;
	TRAP();
	longjmp(back, 1);
}

/* Nothing follows the call: the return address is already in another function. */
FUNCTION void ends_in_call(int a)
{
	volatile int kept[20];

	for (int i = 0; i < 20; i++)
		kept[i] = a;
	never_returns(kept[3]);
}

CASE(STEPPED, calls_noreturn, "never_returns ends_in_call calls_noreturn" BELOW)
{
	if (_setjmp(back) == 0)
		ends_in_call(sink);
	KEEP;
}

/*
 * Compilers move unlikely code out of its function. Its symbol, partitioned.cold, does
 * not survive stripping.
 */
FUNCTION __attribute__((cold)) void unlikely_part(int a)
{
	sink = a;
	TRAP();
}

FUNCTION int partitioned(int a)
{
	__asm__ volatile("" : : : "rbx", "r12", "memory");
	if (__builtin_expect(a != 12345, 0)) {
		unlikely_part(a);
		TRAP();
		unlikely_part(a + 1);
		sink = a;
	}
	return a + 1;
}

CASE(STEPPED, calls_partitioned,
     "unlikely_part partitioned|@stacks calls_partitioned" BELOW "; partitioned|@stacks calls_partitioned" BELOW)
{
	sink = partitioned(sink);
}
