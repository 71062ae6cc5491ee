/*
 * busy uses MS milliseconds of CPU time, all of it in spin(), for tests of timed
 * events.
 *
 *   busy MS
 */
#include <stdlib.h>
#include <time.h>

#define NOINLINE __attribute__((noinline))

/* gcc sets up no frame pointer in a leaf function, unless the frame address is used. */
#define KEEP_FRAME() __asm__ volatile("" : : "r"(__builtin_frame_address(0)))

NOINLINE unsigned long spin(unsigned long x)
{
	KEEP_FRAME();
	for (int i = 0; i < 100000; i++)
		x = x * 6364136223846793005UL + 1442695040888963407UL;
	return x;
}

int main(int argc, char **argv)
{
	unsigned long x = 1;
	struct timespec ts;
	long ms = argc == 2 ? atol(argv[1]) : 0;

	do {
		x = spin(x);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	} while (ts.tv_sec * 1000 + ts.tv_nsec / 1000000 < ms);
	return x == 0;
}
