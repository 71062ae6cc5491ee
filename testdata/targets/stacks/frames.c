/* Kinds of frames: how compilers move the stack pointer and where they save registers. */
#include <alloca.h>

#include "case.h"

#define USE(p) __asm__ volatile("" : : "r"(p) : "memory")

/* The callee-saved registers, with the frame pointer where it is a general register. */
#define WRECK __asm__ volatile("xorl %%ebx, %%ebx\n\tmovl $2, %%r12d"			\
			       : : : "rbx", "r12", "r13", "r14", "r15", "memory")
#if defined(OMIT_FP) && defined(__OPTIMIZE__)
#define WRECK_FP __asm__ volatile("movl $1, %%ebp" : : : "rbp", "memory")
#else
#define WRECK_FP
#endif

FUNCTION int leaf(int a)
{
	TRAP();
	return a * 3 + 1;
}

CASE(STEPPED, calls_leaf, "leaf calls_leaf" BELOW)
{
	sink = leaf(sink);
}

/* Its variables lie below the stack pointer, in the red zone. */
FUNCTION int red_zone(int a)
{
	volatile int kept[8];

	for (int i = 0; i < 8; i++)
		kept[i] = a + i;
	TRAP();
	return kept[a & 7];
}

CASE(STEPPED, calls_red_zone, "red_zone calls_red_zone" BELOW)
{
	sink = red_zone(sink);
}

FUNCTION int saves_all(int a)
{
	WRECK;
	WRECK_FP;
	TRAP();
	return leaf(a) + 1;
}

CASE(STEPPED, calls_saves_all, "saves_all calls_saves_all" BELOW "; leaf saves_all calls_saves_all" BELOW)
{
	sink = saves_all(sink);
	WRECK;
	WRECK_FP;
}

/* Pushing arguments moves the stack pointer within the function. */
FUNCTION int ten_arguments(int a, int b, int c, int d, int e, int f, int g, int h, long i, long j)
{
	TRAP();
	return a + b + c + d + e + f + g + h + (int)(i + j);
}

CASE(STEPPED, pushes_arguments, "ten_arguments pushes_arguments" BELOW)
{
	sink = ten_arguments(sink, sink, sink, sink, sink, sink, sink, sink, sink, sink);
	sink = ten_arguments(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
}

FUNCTION int large_frame(int a)
{
	char room[9000];

	room[0] = 0; /* so that the page at the stack pointer is mapped */
	USE(room);
	TRAP();
	return leaf(a) + room[a & 1];
}

CASE(STEPPED, calls_large_frame, "large_frame calls_large_frame" BELOW "; leaf large_frame calls_large_frame" BELOW)
{
	sink = large_frame(sink);
}

/* The pages near the stack pointer have not been touched, so they are not mapped. */
FUNCTION int untouched_frame(int a)
{
	char room[30000];

	USE(room);
	TRAP();
	return a + room[0];
}

CASE(PLAIN, calls_untouched_frame, "untouched_frame calls_untouched_frame" BELOW)
{
	sink = untouched_frame(sink);
}

/* Its caller's frame begins far beyond the first chunk of the stack that is copied. */
FUNCTION int huge_frame(int a)
{
	char room[100000];

	USE(room);
	TRAP();
	return a + room[1];
}

CASE(PLAIN, calls_huge_frame, "huge_frame calls_huge_frame" BELOW)
{
	sink = huge_frame(sink);
}

FUNCTION int allocates(int n)
{
	char *room = (char *)alloca(n + 1);

	USE(room);
	TRAP();
	return leaf(n) + room[0];
}

CASE(STEPPED, calls_allocates, "allocates calls_allocates" BELOW "; leaf allocates calls_allocates" BELOW)
{
	sink = allocates(100 + (sink & 255));
}

FUNCTION int aligned(int a)
{
	_Alignas(64) char room[100];

	USE(room);
	TRAP();
	return leaf(a) + room[0];
}

CASE(STEPPED, calls_aligned, "aligned calls_aligned" BELOW "; leaf aligned calls_aligned" BELOW)
{
	sink = aligned(sink);
}

/*
 * clang 19's unwind information is wrong at one instruction: after the epilogue has
 * restored the frame pointer, the CFA is still based on it.
 */
#ifdef __clang__
#define STEPPED_BUT_CLANG PLAIN
#else
#define STEPPED_BUT_CLANG STEPPED
#endif

FUNCTION int aligned_allocates(int n, int b, int c, int d, int e, int f, int on_stack)
{
	_Alignas(256) char room[300];
	char *more = (char *)alloca(n + 1);

	USE(room);
	USE(more);
	WRECK;
	TRAP();
	return leaf(n + b + c + d + e + f) + room[0] + more[0] + on_stack;
}

CASE(STEPPED_BUT_CLANG, calls_aligned_allocates,
     "aligned_allocates calls_aligned_allocates" BELOW "; leaf aligned_allocates calls_aligned_allocates" BELOW)
{
	sink = aligned_allocates(100 + (sink & 255), 2, 3, 4, 5, 6, 7);
}

FUNCTION void bottom(void)
{
	TRAP();
}

FUNCTION void down(int n)
{
	if (n > 1)
		down(n - 1);
	else
		bottom();
	KEEP;
}

/* Six more frames follow; at most 127 are recorded. */
CASE(PLAIN, depth_126, "bottom down*119 depth_126" BELOW)
{
	down(119);
	KEEP;
}

CASE(PLAIN, depth_127, "bottom down*120 depth_127" BELOW)
{
	down(120);
	KEEP;
}

CASE(PLAIN, depth_128, "bottom down*121 depth_128" BELOW)
{
	down(121);
	KEEP;
}

CASE(PLAIN, depth_200, "bottom down*193 depth_200" BELOW)
{
	down(193);
	KEEP;
}

/* Few frames, much memory. */
FUNCTION void wide(int n)
{
	char room[600];

	USE(room);
	if (n > 1)
		wide(n - 1);
	else
		bottom();
	USE(room);
}

CASE(PLAIN, wide_80, "bottom wide*80 wide_80" BELOW)
{
	wide(80);
	KEEP;
}
