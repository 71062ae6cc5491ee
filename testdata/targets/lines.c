/*
 * lines executes marked lines a known number of times, and calls functions without a
 * symbol: inlined ones, and the implementation of strlen that the dynamic linker
 * chooses.
 *
 *   lines N
 */
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))

static volatile long sink;
static char text[] = "a text of the lines target";

__attribute__((always_inline)) static inline long twice(long x)
{
	sink = x;			/* line:twice */
	return 2 * sink;
}

NOINLINE static long one(long i)
{
	return twice(i) + 1;
}

NOINLINE static long two(long i)
{
	sink = 0;			/* line:two */
	return twice(i + 1) + 2;
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? strtol(argv[1], NULL, 10) : 0;

	for (long i = 0; i < n; i++) {
		char *volatile p = text;
		sink = one(i) + two(i) + strlen(p);
	}
	return n <= 0;
}
