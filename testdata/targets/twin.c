/*
 * twin-a and twin-b have the same instructions at the same addresses, but for the
 * sizes of frames and the names of functions. Each takes its stack 50 times by
 * getpgid(0), as inner_NAME outer_NAME main.
 */
#include "stacks/case.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define inner JOIN(inner_, NAME)
#define outer JOIN(outer_, NAME)

FUNCTION void inner(void)
{
	char room[FRAME_SIZE];

	__asm__ volatile("" : : "r"(room) : "memory");
	TRAP();
}

FUNCTION void outer(void)
{
	char room[2 * FRAME_SIZE];

	__asm__ volatile("" : : "r"(room) : "memory");
	inner();
	KEEP;
}

int main(void)
{
	for (int i = 0; i < 50; i++)
		outer();
	return 0;
}
