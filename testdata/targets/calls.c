/*
 * calls makes nested calls, for tests of durations.
 *
 *   calls fib N     computes fib(N) recursively, N times
 *   calls jump N    N calls of jump(); longjmp leaves every other one
 *   calls nap N     N calls of nap(); every tenth sleeps for 20 ms
 */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOINLINE __attribute__((noinline))

NOINLINE int fib(int n)
{
	int r = n < 2 ? n : fib(n - 1) + fib(n - 2);
	__asm__ volatile("" : "+r"(r)); /* no tail call */
	return r;
}

static jmp_buf back;

NOINLINE int jump(int i)
{
	if (i % 2)
		longjmp(back, 1);
	__asm__ volatile("" : "+r"(i));
	return i;
}

NOINLINE int nap(int i)
{
	struct timespec time = { .tv_nsec = 20000000 };

	if (i % 10 == 0)
		while (nanosleep(&time, &time))
			;
	return i;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 1;
	int n = atoi(argv[2]);
	for (volatile int i = 0; i < n; i++) {
		if (!strcmp(argv[1], "fib"))
			fib(n);
		else if (!strcmp(argv[1], "nap"))
			nap(i);
		else if (!setjmp(back))
			jump(i);
	}
	return 0;
}
