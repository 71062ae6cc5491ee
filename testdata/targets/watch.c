/*
 * watch is not position-independent, so its addresses are known. watch N writes the
 * variable watched N times, with i from 0 to N-1, and reads it N times, all in step().
 */
#include <stdint.h>
#include <stdlib.h>

volatile uint64_t watched;

uint64_t __attribute__((noinline)) step(uint64_t i)
{
	watched = i;
	return watched;
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 0) : 1, sum = 0;

	for (uint64_t i = 0; i < n; i++)
		sum += step(i);
	return sum != n * (n - 1) / 2;
}
